import { onShapes } from '../backend/shapes.js';
import { check, whole } from '../core/check.js';
import { Rng } from '../core/rng.js';
import { familyOf } from '../nn/families.js';
import { buildModel, type ModelOptions } from '../nn/models.js';
import type { FlatParameters } from '../optim/flat.js';
import { optimizerOf } from '../optim/optimizer-of.js';
import { checkConfig, checkSettings, type PretrainConfig } from './config.js';
import { EndToEnd } from './end-to-end.js';
import { MemoryBank } from './memory-bank.js';
import type { Method } from './method.js';
import { MoCo } from './moco.js';
import { MoCoV3, predictor, projector } from './moco-v3.js';

/** The method that a configuration asks for, for a data set of so many `pictures`. */
export function createMethod(c: PretrainConfig, pictures: number): Method {
  checkSettings('createMethod', c);
  check('createMethod', 'pictures', pictures, whole(1));
  const { stem, head: of, dim, splits, seed, size, T, K, symmetric, shared } = c;
  const encoder =
    (options: Partial<ModelOptions> = {}) =>
    () =>
      buildModel(c.model, { stem, head: of, dim, splits, seed, size, ...options });
  const optimizer = (parameters: FlatParameters) => optimizerOf(c, parameters);
  if (c.method === 'moco') return new MoCo(encoder(), { K, T, dim, symmetric, seed, optimizer });
  if (c.method === 'end-to-end') return new EndToEnd(encoder(), { T, shared, optimizer });
  if (c.method === 'memory-bank')
    return new MemoryBank(encoder(), { pictures, K, T, dim, loss: c.bankLoss, seed, optimizer });
  const { projector: layers, predictorNorm } = familyOf(c.model).recipe;
  const head = (rng: Rng, features: number) => projector(rng, features, c.hidden, c.dim, layers);
  return new MoCoV3(
    encoder({ head, zeroInitResidual: true }),
    predictor(new Rng(c.seed, 'predictor'), c.hidden, c.dim, predictorNorm),
    { T: c.T, optimizer },
  );
}

/** Checks all of a configuration that does not depend on how many pictures there are. @throws ConfigError */
export function checkMethod(config: PretrainConfig): void {
  checkConfig(config, Infinity);
  onShapes(() => createMethod(config, 1));
}
