// dx = y (dy - Σ y dy) for softmax, dx = dy - exp(y) Σ dy with LOG, over rows that LANES threads hold in registers,
// EACH V of y and of dy a thread: one reading of both, for graphics cards.
const LANES = 32u; // @tune
const EACH = 4u; // @tune
override LOG: u32 = 0u;
#import "index"
#import "single"
#import "special"
#import "lanes"

struct Params { rows: u32, C: u32 } // C in V

@group(0) @binding(0) var<storage, read> y: array<V>;        // [rows, C]
@group(0) @binding(1) var<storage, read> dy: array<V>;       // [rows, C]
@group(0) @binding(2) var<storage, read_write> dx: array<V>; // [rows, C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = groupOf(group, groups) * (THREADS / LANES) + lane / LANES;
  let start = min(row, p.rows - 1u) * p.C;
  let first = lane % LANES;
  #for i in 0..EACH
  let v$i = y[start + min(first + $iu * LANES, p.C - 1u)];
  let d$i = dy[start + min(first + $iu * LANES, p.C - 1u)];
  #end
  var part = V();
  #for i in 0..EACH
  if (first + $iu * LANES < p.C) {
    if (LOG == 1u) { part += d$i; } else { part += v$i * d$i; }
  }
  #end
  let sum = sumLanes(vec2f(total(part)), lane).x;
  #for i in 0..EACH
  if ((row < p.rows) & (first + $iu * LANES < p.C)) {
    if (LOG == 1u) { dx[start + first + $iu * LANES] = d$i - expOf(v$i) * sum; }
    else { dx[start + first + $iu * LANES] = v$i * (d$i - sum); }
  }
  #end
}
