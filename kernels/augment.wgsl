// Random views of pictures, by a table that the sampler filled: one workgroup computes one picture of the batch, in
// phases between which its pixels pass through memory; a thread owns every THREADS-th pixel.
//   1 Crop, resize, flip, and the colour steps before contrast. Resizing is bilinear, and antialiased as Pillow's: the
//     triangle filter max(0, 1 - |d| / r), r = max(1, crop / output), over the crop's pixels alone, weights normalised.
//     Both axes are one pass, without Pillow's rounding to 8 bits between and after them.
//   2 Contrast, which needs the mean grey of the whole picture, and the colour steps after it.
//   3 Gaussian blur as Pillow's, without its rounding to 8 bits: three times along x, then three times along y, the
//     mean over a box of variance σ² / 3, edges repeated before each. A box has weight 1 at |d| <= l and `end` at |d| =
//     l + 1; l = ⌊(√(4σ² + 1) - 1) / 2⌋, and end = (2l + 1)(σ² - l(l + 1)) / (2(3(l + 1)² - σ²)) makes its variance
//     exact, while a Gaussian sampled at whole pixels loses half of it at σ = 0.4.
//   4 Solarize and normalise.
// Colour steps are torchvision's on floats in [0, 1], clamped after each. Flipping first is the same as last, since all
// between is symmetric. A picture that is not there, and a crop of nothing, give NaN. One dispatch does all, without an
// intermediate in workgroup memory, because pictures of any size must fit.
override THREADS: u32 = 256u;
override PLACED: u32 = 0u; // pictures have shapes of their own, and index says where each lies
#import "index"
#import "nan"

struct Params { M: u32, H: u32, W: u32, N: u32, height: u32, width: u32, mean: vec4f, inverseStd: vec4f }

// u8 [M, H, W, 3], four a word; PLACED u8 [pixels, 3]
@group(0) @binding(0) var<storage, read> pictures: array<u32>;
@group(0) @binding(1) var<storage, read> index: array<u32>;        // [N]; PLACED [N, 3], first pixel, height and width
@group(0) @binding(2) var<storage, read> table: array<f32>;        // [N, 17], see src/ops/augment_params.ts
@group(0) @binding(3) var<storage, read_write> image0: array<f32>; // [N, height, width, 3], the result
@group(0) @binding(4) var<storage, read_write> image1: array<f32>; // [N, height, width, 3], for the blur
@group(1) @binding(0) var<uniform> p: Params;

const COLUMNS = 17u;
const STEPS = 4u; // five pairs of a code and a factor
const SIGMA = 14u;
const SOLARIZE = 15u;
const FLIP = 16u;
const NONE = 0u; // codes; 3 is saturation
const BRIGHTNESS = 1u;
const CONTRAST = 2u;
const HUE = 4u;

var<workgroup> sums: array<f32, THREADS>;

fn rgbOf(values: vec4f) -> vec3f { return values.xyz / values.w; }

fn grey(c: vec3f) -> f32 { return dot(c, vec3f(0.299, 0.587, 0.114)); }

// Three bytes from byte `at` on, as numbers in [0, 1].
fn texel(at: u32) -> vec3f {
  let shift = 8u * (at % 4u);
  let low = pictures[at / 4u] >> shift;
  let high = pictures[(at + 2u) / 4u] << ((32u - shift) % 32u);
  return unpack4x8unorm(select(low, low | high, shift > 8u)).xyz;
}

// The output pixel (row, column) of the crop (top, left, height, width) of the picture at `place`: first pixel, height,
// width.
fn resized(place: vec3u, crop: vec4f, row: u32, column: u32) -> vec3f {
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
    let line = place.x + min(corner.x + i, place.y - 1u) * place.z;
    for (var j = first.y; j < last.y; j++) {
      let wx = max(0.0, 1.0 - abs(f32(j) + 0.5 - centre.y) * slope.y);
      total += wy * wx * vec4f(texel(3u * (line + min(corner.y + j, place.z - 1u))), 1.0);
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

// Steps `begin` to `end` - 1 of the row of the table at `row`. All but hue mix the pixel with something flat: black,
// the mean grey or its own grey. Hue stands in a loop of one turn: software adapters run both sides of an `if`, not of
// a loop.
fn colour(start: vec3f, row: u32, begin: u32, end: u32, mean: f32) -> vec3f {
  var c = start;
  for (var i = begin; i < end; i++) {
    let code = u32(table[row + STEPS + 2u * i]);
    let factor = table[row + STEPS + 2u * i + 1u];
    let other = select(select(grey(c), mean, code == CONTRAST), 0.0, code == BRIGHTNESS);
    let share = select(factor, 1.0, code == NONE || code == HUE);
    c = clamp(share * c + (1.0 - share) * other, vec3f(), vec3f(1.0));
    for (var turn = select(0.0, factor, code == HUE); turn != 0.0; turn = 0.0) { c = turnHue(c, turn); }
  }
  return c;
}

struct Box { whole: i32, end: f32 }

fn boxOf(sigma: f32) -> Box {
  let variance = sigma * sigma;
  let l = floor(0.5 * (sqrt(4.0 * variance + 1.0) - 1.0));
  return Box(i32(l), 0.5 * (2.0 * l + 1.0) * (variance - l * (l + 1.0)) / (3.0 * (l + 1.0) * (l + 1.0) - variance));
}

#for i in 0..2
fn load$i(at: u32) -> vec3f { return vec3f(image$i[3u * at], image$i[3u * at + 1u], image$i[3u * at + 2u]); }

fn store$i(at: u32, c: vec3f) {
  image$i[3u * at] = c.r;
  image$i[3u * at + 1u] = c.g;
  image$i[3u * at + 2u] = c.b;
}

// The mean over the box about pixel i of the picture at `base`, along y or along x.
fn boxed$i(base: u32, i: u32, box: Box, alongY: bool) -> vec3f {
  let x = i % p.width;
  let stride = select(1u, p.width, alongY);
  let first = base + select(i - x, x, alongY);
  let place = i32(select(x, i / p.width, alongY));
  let last = i32(select(p.width, p.height, alongY)) - 1;
  var whole = vec3f();
  for (var d = -box.whole; d <= box.whole; d++) { whole += load$i(first + stride * u32(clamp(place + d, 0, last))); }
  let left = load$i(first + stride * u32(max(place - box.whole - 1, 0)));
  let right = load$i(first + stride * u32(min(place + box.whole + 1, last)));
  return (whole + box.end * (left + right)) / (2.0 * (f32(box.whole) + box.end) + 1.0);
}
#end

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) thread: u32) {
  let wanted = groupOf(group, groups);
  let n = min(wanted, p.N - 1u);
  let pixels = select(0u, p.height * p.width, wanted < p.N);
  let base = n * p.height * p.width;
  let row = n * COLUMNS;
  var place = vec3u(min(index[n], p.M - 1u) * p.H * p.W, p.H, p.W);
  if (PLACED == 1u) { place = vec3u(index[3u * n], index[3u * n + 1u], index[3u * n + 2u]); }
  let crop = vec4f(table[row], table[row + 1u], table[row + 2u], table[row + 3u]);
  let exists = (PLACED == 1u || index[n] < p.M) && min(crop.z, crop.w) >= 1.0;
  let sigma = table[row + SIGMA];
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
    let column = select(x, p.width - 1u - x, table[row + FLIP] == 1.0);
    let c = colour(resized(place, crop, i / p.width, column), row, 0u, min(before, steps), 0.0);
    sum += grey(c);
    store0(base + i, c);
  }
  sums[thread] = sum;
  workgroupBarrier();

  if (before < steps) {
    sum = 0.0;
    for (var t = 0u; t < THREADS; t++) { sum += sums[t]; }
    let mean = sum / f32(pixels);
    for (var i = thread; i < pixels; i += THREADS) {
      store0(base + i, colour(load0(base + i), row, before, steps, mean));
    }
  }
  storageBarrier();

  let box = boxOf(sigma);
  let blurred = select(0u, pixels, sigma > 0.0);
  for (var k = 0u; k < 3u; k++) { // six passes, the first three of them along x
    for (var i = thread; i < blurred; i += THREADS) { store1(base + i, boxed0(base, i, box, k == 2u)); }
    storageBarrier();
    for (var i = thread; i < blurred; i += THREADS) { store0(base + i, boxed1(base, i, box, k > 0u)); }
    storageBarrier();
  }

  for (var i = thread; i < pixels; i += THREADS) {
    var c = load0(base + i);
    if (table[row + SOLARIZE] == 1.0) { c = min(c, 1.0 - c); }
    store0(base + i, select(vec3f(nanOf(i)), (c - p.mean.rgb) * p.inverseStd.rgb, exists));
  }
}
