// Sizes of an attention; rows of q lie qRow apart, those of k and v kvRow, and k starts at kStart.
struct Params { batch: u32, H: u32, Nq: u32, Nk: u32, qRow: u32, kvRow: u32, kStart: u32, scale: f32 }
