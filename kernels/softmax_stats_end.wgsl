// The maximum m and Σ exp(x - m) of a row from those of its slots.
// LANES threads compute a row, one where workgroup memory is slow, which takes the slots in order.
const LANES = 1u; // @tune
#import "index"
#import "scalar"
#import "special"
#import "lanes"

struct Params { rows: u32, slots: u32 }

@group(0) @binding(0) var<storage, read> slotStats: array<vec2f>;   // [rows, slots], maximum and sum
@group(0) @binding(1) var<storage, read_write> stats: array<vec2f>; // [rows]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let row = groupOf(group, groups) * (64u / LANES) + lane / LANES;
  let start = min(row, p.rows - 1u) * p.slots;
  var top = LOWEST;
  for (var s = lane % LANES; s < p.slots; s += LANES) { top = max(top, slotStats[start + s].x); }
  let most = largestLane(top, lane);
  var part = 0.0;
  for (var s = lane % LANES; s < p.slots; s += LANES) {
    let slot = slotStats[start + s];
    part += slot.y * exp(slot.x - most);
  }
  let sum = sumLanes(vec2f(part), lane).x;
  if ((row < p.rows) & (lane % LANES == 0u)) { stats[row] = vec2f(most, sum); }
}
