import source from '../../kernels/bank_write.wgsl';
import type { Primitive } from '../backend/backend.js';
import { ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import { kernel } from '../gpu/kernel.js';
import type { BankWriteParams } from '../reference/bank_write.js';
import { run } from '../tensor/run.js';
import { checkDType, checkSameShape, type Tensor } from '../tensor/tensor.js';
import { type Places, placesIn } from './places.js';
import { checkGuard, type Guard } from './update.js';

const shader = kernel('bank_write', source);

const primitive: Primitive<BankWriteParams> = {
  name: 'bank_write',
  gpu: ({ guarded, ...p }) => ({
    kernel: shader,
    constants: { GUARDED: Number(guarded) },
    params: p,
    groups: Math.ceil((p.N * p.D) / 64),
  }),
};

/**
 * Puts rows in their places in a memory bank, in place and without gradients: bank[index[n]] = rows[n].
 *
 * @param bank f32 [M, D].
 * @param rows f32 [N, D].
 * @param index u32 [N], all different, each below M. Numbers are checked; an entry of a tensor that is M or more writes
 * nothing (`gather` of
 *   the same index gives NaN, which stops the run).
 * @param guard where it is 0, the step was skipped and nothing is written.
 */
export function bankWrite(bank: Tensor, rows: Tensor, index: Places, guard?: Guard): void {
  checkDType('bankWrite', bank, 'f32');
  checkDType('bankWrite', rows, 'f32');
  if (bank.rank !== 2 || rows.rank !== 2 || bank.shape[1] !== rows.shape[1])
    throw new ShapeError(
      `bankWrite: the bank must be [M, D] and the rows [N, D]; ` +
        `got ${show(bank.shape)} and ${show(rows.shape)}. Reshape or rebuild one.`,
    );
  const [N, D] = rows.shape;
  const places = placesIn('bankWrite', 'the index', index, bank.shape[0]);
  checkSameShape('bankWrite', 'the index', places, [N]);
  checkGuard('bankWrite', guard);
  run(primitive, [rows, places, guard ?? rows], [bank], { N, M: bank.shape[0], D, guarded: guard !== undefined });
}
