// d[r] = Σ a[r, c] b[r, c], for graphics cards: LANES threads share a row, so that neighbouring threads read
// neighbouring columns, and short rows share a workgroup. With UNIT_B b is 1 everywhere.
const LANES = 32u; // @tune
override UNIT_B: u32 = 0u;
#import "index"
#import "single"
#import "lanes"

struct Params { rows: u32, C: u32 } // C in V

@group(0) @binding(0) var<storage, read> a: array<V>;         // [rows, C]
@group(0) @binding(1) var<storage, read> b: array<V>;         // [rows, C], unread with UNIT_B
@group(0) @binding(2) var<storage, read_write> d: array<f32>; // [rows]
@group(1) @binding(0) var<uniform> p: Params;

fn product(i: u32) -> V {
  if (UNIT_B == 1u) { return a[i]; }
  return a[i] * b[i];
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = groupOf(group, groups) * (THREADS / LANES) + lane / LANES;
  let start = min(row, p.rows - 1u) * p.C;
  var part = V();
  var c = lane % LANES;
  for (; c + 3u * LANES < p.C; c += 4u * LANES) {
    part += (product(start + c) + product(start + c + LANES)) +
            (product(start + c + 2u * LANES) + product(start + c + 3u * LANES));
  }
  for (; c < p.C; c += LANES) { part += product(start + c); }
  let sum = sumLanes(vec2f(total(part)), lane).x;
  if ((row < p.rows) & (lane % LANES == 0u)) { d[row] = sum; }
}
