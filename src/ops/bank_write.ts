import source from '../../kernels/bank_write.wgsl';
import type { Primitive } from '../backend/backend.js';
import { ShapeError } from '../core/errors.js';
import { show } from '../core/shape.js';
import { kernel } from '../gpu/kernel.js';
import type { BankWriteParams } from '../reference/bank_write.js';
import { checkDType, checkSameShape, run, type Tensor } from '../tensor.js';
import { checkGuard, type Guard } from './update.js';

const shader = kernel('bank_write', source);

const primitive: Primitive<BankWriteParams> = {
  name: 'bank_write',
  gpu: ({ guarded, ...p }) => ({ kernel: shader, constants: { GUARDED: Number(guarded) }, params: p, groups: Math.ceil((p.N * p.D) / 64) }),
};

/**
 * Puts rows in their places in a memory bank, in place and without gradients: bank[index[n]] = rows[n].
 *
 * @param bank f32 [M, D].
 * @param rows f32 [N, D].
 * @param index u32 [N], all different. It lives on the device and is not checked: an entry of M or more writes nothing.
 * @param guard where it is 0, the step was skipped and nothing is written.
 */
export function bankWrite(bank: Tensor, rows: Tensor, index: Tensor<'u32'>, guard?: Guard): void {
  checkDType('bankWrite', bank, 'f32');
  checkDType('bankWrite', rows, 'f32');
  checkDType('bankWrite', index, 'u32');
  if (bank.rank !== 2 || rows.rank !== 2 || bank.shape[1] !== rows.shape[1])
    throw new ShapeError(`bankWrite: the bank is [M, D] and the rows are [N, D]; got ${show(bank.shape)} and ${show(rows.shape)}. Reshape or rebuild one.`);
  const [N, D] = rows.shape;
  checkSameShape('bankWrite', 'the index', index, [N]);
  checkGuard('bankWrite', guard);
  run(primitive, [rows, index, guard ?? rows], [bank], { N, M: bank.shape[0], D, guarded: guard !== undefined });
}
