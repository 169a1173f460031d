// The pixels of a step of dw, which one thread each looks up for all.
var<workgroup> spots: array<Spot, DEEP>;

fn lookUp(thread: u32, pixel: u32, end: u32) {
  if (thread < DEEP) {
    var spot = spotOf(pixel);
    if (pixel >= end) { spot.top = -0x40000000; } // far above x
    spots[thread] = spot;
  }
}
