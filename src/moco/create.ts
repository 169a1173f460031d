import { onShapes } from '../backend/shapes.js';
import { check, whole } from '../core/check.js';
import { Rng } from '../core/rng.js';
import { familyOf } from '../nn/families.js';
import { buildModel, type Encoder, type ModelOptions } from '../nn/models.js';
import type { FlatParameters } from '../optim/flat.js';
import type { Optimizer } from '../optim/optimizer.js';
import { optimizerOf } from '../optim/optimizer-of.js';
import { checkConfig, checkSettings, type PretrainConfig } from './config.js';
import { EndToEnd } from './end-to-end.js';
import { MemoryBank } from './memory-bank.js';
import type { Method } from './method.js';
import { MoCo } from './moco.js';
import { MoCoV3, predictor, projector } from './moco-v3.js';

/** What methods are made of. */
interface Given {
  c: PretrainConfig;
  pictures: number;
  encoder: (options?: Partial<ModelOptions>) => () => Encoder;
  optimizer: (parameters: FlatParameters) => Optimizer;
}

/** How each method is made: a name in `method` of the configuration without a row here does not compile. */
const made: Record<PretrainConfig['method'], (given: Given) => Method> = {
  moco: ({ c: { K, T, dim, symmetric, seed }, encoder, optimizer }) =>
    new MoCo(encoder(), { K, T, dim, symmetric, seed, optimizer }),
  'end-to-end': ({ c: { T, shared }, encoder, optimizer }) => new EndToEnd(encoder(), { T, shared, optimizer }),
  'memory-bank': ({ c: { K, T, dim, bankLoss, seed }, pictures, encoder, optimizer }) =>
    new MemoryBank(encoder(), { pictures, K, T, dim, loss: bankLoss, seed, optimizer }),
  'moco-v3': ({ c: { model, hidden, dim, seed, T }, encoder, optimizer }) => {
    const { projector: layers, predictorNorm } = familyOf(model).recipe;
    const head = (rng: Rng, features: number) => projector(rng, features, hidden, dim, layers);
    const predicts = predictor(new Rng(seed, 'predictor'), hidden, dim, predictorNorm);
    return new MoCoV3(encoder({ head, zeroInitResidual: true }), predicts, { T, optimizer });
  },
};

/** The method that a configuration asks for, for a data set of so many `pictures`. */
export function createMethod(c: PretrainConfig, pictures: number): Method {
  checkSettings('createMethod', c);
  check('createMethod', 'pictures', pictures, whole(1));
  const { model, stem, head, dim, splits, seed, size } = c;
  const encoder: Given['encoder'] = (options) => () =>
    buildModel(model, { stem, head, dim, splits, seed, size, ...options });
  return made[c.method]({ c, pictures, encoder, optimizer: (parameters) => optimizerOf(c, parameters) });
}

/** Checks all of a configuration that does not depend on how many pictures there are. @throws ConfigError */
export function checkMethod(config: PretrainConfig): void {
  checkConfig(config, Infinity);
  onShapes(() => createMethod(config, 1));
}
