// y = x as another element type, element by element. NaN becomes the integer 0.
// A thread takes EACH elements (lib/elements). u8 is read from packed words, four a word.
override FROM: u32 = 0u; // 0 f32, 1 i32, 2 u32, 3 u8
override TO: u32 = 1u;   // 0 f32, 1 i32, 2 u32
#import "index"

struct Params { length: u32 }

@group(0) @binding(0) var<storage, read> x: array<u32>;       // [length] bits, or [length / 4] for u8
@group(0) @binding(1) var<storage, read_write> y: array<u32>; // [length] bits
@group(1) @binding(0) var<uniform> p: Params;

fn element(i: u32) {
  var word = 0u;
  if (FROM == 3u) { word = (x[i / 4u] >> (8u * (i % 4u))) & 255u; } else { word = x[i]; }
  let isNan = (word & 0x7fffffffu) > 0x7f800000u; // as f32
  switch TO {
    case 0u: {
      if (FROM == 1u) { word = bitcast<u32>(f32(bitcast<i32>(word))); }
      if (FROM >= 2u) { word = bitcast<u32>(f32(word)); }
    }
    case 1u: { if (FROM == 0u) { word = select(bitcast<u32>(i32(bitcast<f32>(word))), 0u, isNan); } }
    default: { if (FROM == 0u) { word = select(u32(bitcast<f32>(word)), 0u, isNan); } }
  }
  y[i] = word;
}
#import "elements"
