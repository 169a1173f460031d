// For attention and what is like it, from tiles in workgroup memory: a workgroup keeps ROWS rows of one side and passes over the
// other side in tiles of COLUMNS. Thread (r, c) of SIDE × 8 owns rows r + SIDE i, i < 4; of a tile, columns c + 8 k, k < EACH; of a
// result's row, the vec4s c + 8 j, j < WIDE. Lines in workgroup memory are a vec4 longer than a row: neighbouring
// threads read neighbouring lines, and meet other banks.
const D = 16u; // @tune: length of a row, divisible by 4
const ROWS = 32u; // @tune: divisible by 4
const COLUMNS = 16u; // @tune: 8 EACH
const EACH = 2u; // @tune
const WIDE = 1u; // @tune: ⌈D / 32⌉
const SIDE = ROWS / 4u;
const THREADS = 8u * SIDE;
const QUADS = D / 4u;
const LINE = QUADS + 1u;
