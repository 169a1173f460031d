// y[r, c] = exp(x[r, c] - m) / Σ exp(x - m), or with LOG x[r, c] - m - ln Σ exp(x - m), m the largest of the row: what
// softmax and its statistics compute, in one reading of x, for graphics cards.
// LANES threads hold a slice of a row in registers, EACH V a thread, all on their way at once. A row of one slice is
// done in one dispatch; of longer ones, GIVES writes the slices' m and Σ, and TAKES reads the row's.
const LANES = 32u; // @tune
const EACH = 4u; // @tune
const GIVES = 0u; // @tune
const TAKES = 0u; // @tune
override LOG: u32 = 0u;
#import "index"
#import "single"
#import "special"
#import "lanes"

struct Params { rows: u32, C: u32, slices: u32 } // C in V

@group(0) @binding(0) var<storage, read> x: array<V>;               // [rows, C]
#if GIVES
@group(0) @binding(1) var<storage, read_write> stats: array<vec2f>; // [rows, slices], maximum and sum
#else
@group(0) @binding(1) var<storage, read_write> y: array<V>;         // [rows, C]
#endif
#if TAKES
@group(0) @binding(2) var<storage, read> stats: array<vec2f>;       // [rows], maximum and sum
#endif
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let piece = groupOf(group, groups) * (THREADS / LANES) + lane / LANES;
  let row = min(piece / p.slices, p.rows - 1u); // past the end: the last, stored by nobody
  let ok = piece < p.rows * p.slices;
  let start = row * p.C;
  let first = piece % p.slices * (LANES * EACH) + lane % LANES;
  #for i in 0..EACH
  let v$i = x[start + min(first + $iu * LANES, p.C - 1u)];
  #end
  #if TAKES
  let most = stats[row].x;
  let sum = V(stats[row].y);
  #else
  var top = V(LOWEST);
  #for i in 0..EACH
  if (first + $iu * LANES < p.C) { top = max(top, v$i); }
  #end
  let most = largestLane(largestIn(top), lane);
  var part = V();
  #for i in 0..EACH
  part += select(V(), expOf(v$i - most), first + $iu * LANES < p.C);
  #end
  let sum = unlessInfinite(V(sumLanes(vec2f(total(part)), lane).x), V(most));
  #endif
  #if GIVES
  if (ok & (lane % LANES == 0u)) { stats[piece] = vec2f(most, total(sum) / WIDTH); }
  #else
  let term = select(1.0 / sum, ln(sum), LOG == 1u);
  #for i in 0..EACH
  if (ok & (first + $iu * LANES < p.C)) {
    let d$i = v$i - most;
    if (LOG == 1u) { y[start + first + $iu * LANES] = d$i - term; }
    else { y[start + first + $iu * LANES] = expOf(d$i) * term; }
  }
  #end
  #endif
}
