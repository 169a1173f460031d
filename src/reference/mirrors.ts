import type { TypedArray } from '../core/dtype.js';
import * as functions from './index.js';

/** Computes a primitive on its buffers, inputs first. */
export type Mirror = (buffers: TypedArray[], params: never) => void;

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Every mirror by the name of its primitive: that of `conv2d_dx` is the function `conv2dDx`. */
export const mirrors: Readonly<Record<string, Mirror>> = Object.fromEntries(
  Object.entries(functions).map(([name, f]) => [snake(name), f as Mirror]),
);
