// y = bits, in every word.
// A thread takes EACH words (lib/elements). u8 tensors are filled four bytes at a time.
#import "index"
#import "single"

struct Params { length: u32, bits: u32 }

@group(0) @binding(0) var<storage, read_write> y: array<U>; // [length] words
@group(1) @binding(0) var<uniform> p: Params;

fn element(i: u32) { y[i] = U(p.bits); }
#import "elements"
