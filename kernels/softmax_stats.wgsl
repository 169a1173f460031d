// The maximum m and Σ exp(x - m) over the columns c = s, s + slots, … of a row. A slot without columns holds a sum of
// 0.
// One thread computes one slot of a row (lib/row_slots) in one reading of x: where a larger value turns up, the sum so
// far is scaled down to it (Milakov and Gimelshein 2018).
#import "index"
#import "scalar"
#import "special"

struct Params { rows: u32, C: u32, slots: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;             // [rows, C]
@group(0) @binding(1) var<storage, read_write> stats: array<vec2f>; // [rows, slots], maximum and sum
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
#import "row_slots"
  let start = row * p.C;
  var most = LOWEST;
  var sum = 0.0;
  for (var c = i % p.slots; c < p.C; c += p.slots) {
    let v = x[start + c];
    if (v > most) {
      sum = sum * exp(most - v) + 1.0;
      most = v;
    } else {
      sum += expOf(v - most);
    }
  }
  stats[i] = vec2f(most, unlessInfinite(sum, most));
}
