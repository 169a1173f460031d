// Random views of pictures, by a table drawn beforehand: one workgroup makes one picture of the batch, in four phases
// between which its pixels pass through memory; a thread owns every THREADS-th pixel.
//   1 Crop, resize, flip, and the colour steps before contrast. Resizing is bilinear, and antialiased as Pillow's: the
//     triangle filter max(0, 1 - |d| / r), r = max(1, crop / output), over the crop's pixels alone, weights normalised.
//     Both axes at once and without Pillow's rounding to 8 bits between and after them.
//   2 Contrast, which needs the mean grey of the whole picture, and the colour steps after it.
//   3 Gaussian blur along x, then 4 along y, edges repeated, weights e^(-d² / 2σ²) for |d| <= radius, normalised; then
//     solarize and normalise.
// Colour steps are torchvision's on floats in [0, 1], clamped after each. Flipping first is the same as last, since all
// between is symmetric. A picture that is not there, and a crop of nothing, give NaN. One dispatch and no intermediate in workgroup memory, because pictures of any size must fit.
override THREADS: u32 = 256u;
#import "index"
#import "nan"

struct Params { M: u32, H: u32, W: u32, N: u32, height: u32, width: u32, mean: vec4f, inverseStd: vec4f }

@group(0) @binding(0) var<storage, read> pictures: array<u32>;     // u8 [M, H, W, 3], four a word
@group(0) @binding(1) var<storage, read> index: array<u32>;        // [N]
@group(0) @binding(2) var<storage, read> table: array<f32>;        // [N, 18], see src/ops/augment_params.ts
@group(0) @binding(3) var<storage, read_write> y: array<f32>;      // [N, height, width, 3]
@group(0) @binding(4) var<storage, read_write> blurred: array<f32>; // [N, height, width, 3], along x
@group(1) @binding(0) var<uniform> p: Params;

const COLUMNS = 18u;
const STEPS = 4u; // five pairs of a code and a factor
const SIGMA = 14u;
const RADIUS = 15u;
const SOLARIZE = 16u;
const FLIP = 17u;
const NONE = 0u; // codes; 3 is saturation
const BRIGHTNESS = 1u;
const CONTRAST = 2u;
const HUE = 4u;

var<workgroup> sums: array<f32, THREADS>;
var<workgroup> bell: array<f32, 32>;

fn rgbOf(values: vec4f) -> vec3f { return values.xyz / values.w; }

fn grey(c: vec3f) -> f32 { return dot(c, vec3f(0.299, 0.587, 0.114)); }

// Three bytes from byte `at` on, as numbers in [0, 1].
fn texel(at: u32) -> vec3f {
  let shift = 8u * (at % 4u);
  let low = pictures[at / 4u] >> shift;
  let high = pictures[(at + 2u) / 4u] << ((32u - shift) % 32u);
  return unpack4x8unorm(select(low, low | high, shift > 8u)).xyz;
}

// The output pixel (row, column) of picture `source`'s crop: top, left, height, width.
fn resized(source: u32, crop: vec4f, row: u32, column: u32) -> vec3f {
  let scale = crop.zw / vec2f(f32(p.height), f32(p.width));
  let reach = max(scale, vec2f(1.0));
  let slope = 1.0 / reach;
  let centre = (vec2f(f32(row), f32(column)) + 0.5) * scale;
  let first = vec2u(max(centre - reach + 0.5, vec2f()));
  let last = vec2u(min(centre + reach + 0.5, crop.zw));
  let corner = vec2u(crop.xy);
  var total = vec4f();
  for (var i = first.x; i < last.x; i++) {
    let wy = max(0.0, 1.0 - abs(f32(i) + 0.5 - centre.x) * slope.x);
    let line = (source * p.H + min(corner.x + i, p.H - 1u)) * p.W;
    for (var j = first.y; j < last.y; j++) {
      total += wy * max(0.0, 1.0 - abs(f32(j) + 0.5 - centre.y) * slope.y) * vec4f(texel(3u * (line + min(corner.y + j, p.W - 1u))), 1.0);
    }
  }
  return rgbOf(total);
}

// Turns the hue by `turn` of a full circle. A channel of a colour of value v, chroma c and hue h (in sixths) is
// v - c clamp(min(k, 4 - k), 0, 1) with k = (n + h) mod 6 and n = 5, 3, 1 for red, green, blue.
fn turnHue(c: vec3f, turn: f32) -> vec3f {
  let v = max(c.r, max(c.g, c.b));
  let chroma = v - min(c.r, min(c.g, c.b));
  let rise = select(select(vec2f(c.r - c.g, 4.0), vec2f(c.b - c.r, 2.0), v == c.g), vec2f(c.g - c.b, 0.0), v == c.r);
  let h = rise.x / max(chroma, 1e-9) + rise.y;
  let x = vec3f(5.0, 3.0, 1.0) + (h + 6.0 * turn + 6.0);
  let k = x - 6.0 * floor(x * 0.16666667);
  return vec3f(v) - chroma * clamp(min(k, 4.0 - k), vec3f(), vec3f(1.0));
}

// Steps `begin` to `end` - 1 of the row of the table at `row`. All but hue mix the pixel with something flat: black, the
// mean grey or its own grey. Hue stands in a loop of one turn: software adapters run both sides of an `if`, not of a loop.
fn colour(start: vec3f, row: u32, begin: u32, end: u32, mean: f32) -> vec3f {
  var c = start;
  for (var i = begin; i < end; i++) {
    let code = u32(table[row + STEPS + 2u * i]);
    let factor = table[row + STEPS + 2u * i + 1u];
    let other = select(select(grey(c), mean, code == CONTRAST), 0.0, code == BRIGHTNESS);
    let kept = select(factor, 1.0, code == NONE || code == HUE);
    c = clamp(kept * c + (1.0 - kept) * other, vec3f(), vec3f(1.0));
    for (var turn = select(0.0, factor, code == HUE); turn != 0.0; turn = 0.0) { c = turnHue(c, turn); }
  }
  return c;
}

fn load(at: u32) -> vec3f { return vec3f(y[3u * at], y[3u * at + 1u], y[3u * at + 2u]); }

fn store(at: u32, c: vec3f) {
  y[3u * at] = c.r;
  y[3u * at + 1u] = c.g;
  y[3u * at + 2u] = c.b;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let wanted = groupOf(group, groups);
  let n = min(wanted, p.N - 1u);
  let pixels = select(0u, p.height * p.width, wanted < p.N);
  let base = n * p.height * p.width;
  let row = n * COLUMNS;
  let source = min(index[n], p.M - 1u);
  let crop = vec4f(table[row], table[row + 1u], table[row + 2u], table[row + 3u]);
  let exists = index[n] < p.M && min(crop.z, crop.w) >= 1.0;
  let sigma = table[row + SIGMA];
  let radius = min(i32(table[row + RADIUS]), 31);
  var steps = 0u;
  var before = 5u; // steps before contrast
  for (var i = 0u; i < 5u; i++) {
    let code = u32(table[row + STEPS + 2u * i]);
    if (code != NONE) { steps = i + 1u; }
    if (code == CONTRAST) { before = i; }
  }

  var sum = 0.0;
  for (var i = thread; i < pixels; i += THREADS) {
    let x = i % p.width;
    let c = colour(resized(source, crop, i / p.width, select(x, p.width - 1u - x, table[row + FLIP] == 1.0)), row, 0u, min(before, steps), 0.0);
    sum += grey(c);
    store(base + i, c);
  }
  sums[thread] = sum;
  for (var d = thread; d < 32u; d += THREADS) { bell[d] = exp(-0.5 * f32(d * d) / max(sigma * sigma, 1e-6)); }
  workgroupBarrier();

  if (before < steps) {
    sum = 0.0;
    for (var t = 0u; t < THREADS; t++) { sum += sums[t]; }
    for (var i = thread; i < pixels; i += THREADS) { store(base + i, colour(load(base + i), row, before, steps, sum / f32(pixels))); }
  }
  storageBarrier();

  if (radius > 0) {
    for (var i = thread; i < pixels; i += THREADS) {
      let x = i32(i % p.width);
      var total = vec4f();
      for (var d = -radius; d <= radius; d++) {
        let at = base + i - u32(x) + u32(clamp(x + d, 0, i32(p.width) - 1));
        total += bell[abs(d)] * vec4f(load(at), 1.0);
      }
      let c = rgbOf(total);
      blurred[3u * (base + i)] = c.r;
      blurred[3u * (base + i) + 1u] = c.g;
      blurred[3u * (base + i) + 2u] = c.b;
    }
  }
  storageBarrier();

  for (var i = thread; i < pixels; i += THREADS) {
    var c = load(base + i);
    if (radius > 0) {
      let line = i32(i / p.width);
      var total = vec4f();
      for (var d = -radius; d <= radius; d++) {
        let at = 3u * (base + u32(clamp(line + d, 0, i32(p.height) - 1)) * p.width + i % p.width);
        total += bell[abs(d)] * vec4f(blurred[at], blurred[at + 1u], blurred[at + 2u], 1.0);
      }
      c = rgbOf(total);
    }
    if (table[row + SOLARIZE] == 1.0) { c = min(c, 1.0 - c); }
    store(base + i, select(vec3f(nanOf(i)), (c - p.mean.rgb) * p.inverseStd.rgb, exists));
  }
}
