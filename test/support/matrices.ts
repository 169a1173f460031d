import type { Launch, Plan } from '../../src/backend/backend.js';
import type { Traits } from '../../src/gpu/device.js';
import type { Kernel } from '../../src/gpu/kernel.js';
import type { Played } from './bindings.js';

/** An adapter with tensor cores, as far as tables can tell. */
export const withMatrices = (traits: Traits): Traits => ({
  ...traits,
  software: false,
  parallelGroups: 4,
  subgroup: 32,
  subgroupMatrix: true,
  workgroupMemory: 32768,
});

/** Matrices as 32 threads play them: factors are places in the tiles, a thread holds 8 elements of a sum. */
const played = `
alias Left = vec3u; // where it begins, how far its lines are apart, and whether they are columns
alias Right = vec3u;
alias Sum = array<f32, 8>;
var<private> me: u32;
fn multiplyAccumulate(l: Left, r: Right, sum: Sum) -> Sum {
  var total = sum;
  let none = me >> 9u; // which compilers do not know to be 0: they would unroll these loops for minutes
  for (var i = 0u; i < 8u + none; i++) {
    let row = (me % 32u * 8u + i) / 16u;
    let column = (me % 32u * 8u + i) % 16u;
    for (var k = 0u; k < 16u + none; k++) {
      let a = aTile[l.x + select(row * l.y + k, k * l.y + row, l.z == 1u)];
      let b = bTile[r.x + select(k * r.y + column, column * r.y + k, r.z == 1u)];
      total[i] += f32(a) * f32(b);
    }
  }
  return total;
}
`;

/** The text of a kernel for tensor cores as one that any adapter with f16 runs. */
const play = (code: string): string =>
  code
    .replace(/^(enable chromium.*|diagnostic.*|alias (Left|Right|Sum) .*)$/gm, '')
    .replace(/^const A_K/m, `${played}$&`)
    .replace(/^(fn main\([^{]*\) \{)$/m, '$1\n  me = thread;')
    .replace(
      /subgroupMatrixLoad<\w+, (\w+)>\(&\w+, (.*), (\w+)\);/g,
      (_, order, at, line) => `vec3u(${at}, ${line}, ${order === 'col_major' ? 1 : 0}u);`,
    )
    .replace(/subgroupMatrixMultiplyAccumulate/g, 'multiplyAccumulate')
    .replace(
      /subgroupMatrixStore<row_major>\(&(\w+), (.*), (\w+), (\w+)\);/g,
      (_, to, at, sum, line) =>
        `for (var i = 0u; i < 8u + (me >> 9u); i++) { let e = me % 32u * 8u + i; ` +
        `${to}[${at} + e / 16u * ${line} + e % 16u] = ${sum}[i]; }`,
    );

/** A launch whose tensor cores are played; its bindings are checked as for real ones. */
export function playMatrices(made: Launch | Plan): Launch | Plan {
  const playing = (k: Kernel): Played => ({ ...k, name: `${k.name} played`, code: play(k.code), played: k });
  const one = (l: Launch): Launch => (/_matrix/.test(l.kernel.name) ? { ...l, kernel: playing(l.kernel) } : l);
  return 'launches' in made ? { ...made, launches: made.launches.map(one) } : one(made);
}
