// d[r, s] = Σ a[r, c] b[r, c] over the columns c = s, s + slots, s + 2 slots, … of slot s. With UNIT_B b is 1
// everywhere.
// One thread computes one slot of a row (lib/row_slots); a reduction adds the slots.
override UNIT_B: u32 = 0u;
#import "index"

struct Params { rows: u32, C: u32, slots: u32 }

@group(0) @binding(0) var<storage, read> a: array<f32>;       // [rows, C]
@group(0) @binding(1) var<storage, read> b: array<f32>;       // [rows, C], unread with UNIT_B
@group(0) @binding(2) var<storage, read_write> d: array<f32>; // [rows, slots]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
#import "row_slots"
  let start = row * p.C;
  var total = 0.0;
  for (var c = i % p.slots; c < p.C; c += p.slots) {
    if (UNIT_B == 1u) { total += a[start + c]; } else { total += a[start + c] * b[start + c]; }
  }
  d[i] = total;
}
