// What batch_norm_stats_tiles computes, for graphics cards: 32 threads share the tiles of one chunk of a channel
// (lib/tail_lanes).
#import "index"
#import "scalar"
#import "special"
#import "tail_lanes"

struct Params { C: u32, L: u32, splits: u32, rows: u32, tile: u32, tiles: u32, span: u32, chunks: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;               // [N, L, C], rows = N / splits · L
@group(0) @binding(1) var<storage, read> mean: array<f32>;            // [all tiles, C]
@group(0) @binding(2) var<storage, read> m2: array<f32>;              // [all tiles, C]
// [splits, chunks, C], less the split's first value
@group(0) @binding(3) var<storage, read_write> chunkMean: array<f32>;
@group(0) @binding(4) var<storage, read_write> chunkM2: array<f32>;   // [splits, chunks, C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let g = groupOf(group, groups);
  let piece = g % (p.splits * p.chunks);
  let channel = g / (p.splits * p.chunks) * 8u + lane % 8u;
  let c = min(channel, p.C - 1u);
  let split = piece / p.chunks;
  let start = piece % p.chunks * p.span;
  let end = min(start + p.span, p.tiles);
  let inSample = max(p.L / p.tile, 1u); // tiles of one sample
  let first = x[split * p.L * p.C + c];
  let head = (start / inSample * p.splits + split) * inSample + start % inSample;
  let pivot = (x[head * p.tile * p.C + c] - first) + mean[head * p.C + c];
  var own = vec2f();
  for (var k = start + lane / 8u; k < end; k += 128u) {
    #for i in 0..4
    let k$i = min(k + $iu * 32u, end - 1u);
    let at$i = (k$i / inSample * p.splits + split) * inSample + k$i % inSample;
    let d$i = (x[at$i * p.tile * p.C + c] - first) + mean[at$i * p.C + c] - pivot;
    let m2$i = m2[at$i * p.C + c];
    #end
    #for i in 0..4
    if (k + $iu * 32u < end) {
      let count = f32(min(p.tile, p.rows - k$i * p.tile));
      own += vec2f(count * d$i, m2$i + count * d$i * d$i);
    }
    #end
  }
  let sums = sumTail(own, lane);
  let n = f32(min(p.span * p.tile, p.rows - start * p.tile));
  if ((channel < p.C) & (lane < 8u)) {
    chunkMean[piece * p.C + c] = pivot + sums.x / n;
    chunkM2[piece * p.C + c] = atLeastZero(sums.y - sums.x * sums.x / n);
  }
}
