import type { Bench } from '../record.js';
import * as conv2d from './conv2d.js';
import * as matmul from './matmul.js';

/** In the order of the table. */
export const benches: readonly Bench[] = [matmul.bench, conv2d.forward, conv2d.dX, conv2d.dW];
