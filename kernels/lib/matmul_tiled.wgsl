// Bindings and tiles of the products that stage tiles of 16 steps of k in workgroup memory as F. Transposes are handled
// where tiles are staged, so that the inner loop is the same for all.

@group(0) @binding(0) var<storage, read> a: array<f32>;       // batch of [M, K], at aRow and aCol
@group(0) @binding(1) var<storage, read> b: array<f32>;       // batch of [K, N], at bRow and bCol
const BIAS = 0u; // @tune: 1 adds a bias to every row
@group(0) @binding(2) var<storage, read_write> c: array<f32>; // [batch, split, M, N]
#if BIAS
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [N]
#endif
@group(1) @binding(0) var<uniform> p: Params;

const LANES = TILE / 4u;
var<workgroup> aTile: array<F, 16u * TILE>; // [16 k, TILE rows]
var<workgroup> bTile: array<F, 16u * TILE>; // [16 k, TILE columns]
