import type { DType, TypedArray } from '../core/dtype.js';
import { ConfigError } from '../core/errors.js';
import type { Backend, Storage } from './backend.js';
import { within } from './context.js';

/** Keeps account of sizes and nothing else: tensors on it have shapes and no values. */
export class ShapesBackend implements Backend {
  readonly kind = 'reference';
  readonly name = 'shapes';
  readonly f16 = true;

  alloc(dtype: DType, length: number): Storage {
    return { dtype, length, freed: false };
  }

  slice(parent: Storage, _offset: number, length: number): Storage {
    return { dtype: parent.dtype, length, freed: false, parent };
  }

  free(storage: Storage): void {
    storage.freed = true;
  }

  write(): void {}

  async read(): Promise<TypedArray> {
    throw new ConfigError(
      'data: where only shapes are worked out there are no values; got a read. Leave it out of forward().',
    );
  }

  run(_primitive: unknown, _storages: readonly Storage[]): void {}

  flush(): void {}

  memory(): { inUse: number; peak: number } {
    return { inUse: 0, peak: 0 };
  }
}

/** Runs `fn` where tensors have shapes and no values: to see whether a model can be built, and what it holds. */
export const onShapes = <T>(fn: () => T): T => within({ backend: new ShapesBackend() }, fn);
