// The statistics of `span` neighbouring tiles of a split's rows, as a product's epilogue wrote them (lib/column_stats),
// as those of one chunk, by the formula of batch_norm_stats_merge.
// One thread computes one chunk of one channel of one split. A tile's mean is less the tile's own first value, which is
// read again here: x is the product's result. Where there are splits, a tile lies in one sample.
#import "index"
#import "scalar"
#import "special"

struct Params { C: u32, L: u32, splits: u32, rows: u32, tile: u32, tiles: u32, span: u32, chunks: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;               // [N, L, C], rows = N / splits · L
@group(0) @binding(1) var<storage, read> mean: array<f32>;            // [all tiles, C]
@group(0) @binding(2) var<storage, read> m2: array<f32>;              // [all tiles, C]
// [splits, chunks, C], less the split's first value
@group(0) @binding(3) var<storage, read_write> chunkMean: array<f32>;
@group(0) @binding(4) var<storage, read_write> chunkM2: array<f32>;   // [splits, chunks, C]
@group(1) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = groupOf(group, groups) * 64u + lane;
  if (i >= p.splits * p.chunks * p.C) { return; }
  let c = i % p.C;
  let split = i / (p.C * p.chunks);
  let start = (i / p.C) % p.chunks * p.span;
  let inSample = max(p.L / p.tile, 1u); // tiles of one sample
  let first = x[split * p.L * p.C + c];
  var pivot = 0.0;
  var n = 0.0;
  var sum = 0.0;
  var squares = 0.0;
  for (var k = start; k < min(start + p.span, p.tiles); k++) {
    let at = (k / inSample * p.splits + split) * inSample + k % inSample;
    let count = f32(min(p.tile, p.rows - k * p.tile));
    let m = (x[at * p.tile * p.C + c] - first) + mean[at * p.C + c];
    if (k == start) { pivot = m; }
    n += count;
    sum += count * (m - pivot);
    squares += m2[at * p.C + c] + count * (m - pivot) * (m - pivot);
  }
  chunkMean[i] = pivot + sum / n;
  chunkM2[i] = atLeastZero(squares - sum * sum / n);
}
