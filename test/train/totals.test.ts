import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.js';
import { numel } from '../../src/core/shape.js';
import { createMethod } from '../../src/moco/create.js';
import { presets } from '../../src/moco/presets.js';
import { on, reference } from '../support/devices.js';

/** Parameters of the encoders and predictor that a preset trains or moves, fixed ones and position embeddings too. */
function total(name: string, fields: object = {}): number {
  const method = on(reference, () => createMethod({ ...presets[name], K: 8, ...fields }, 8));
  const models = [...method.saved()].flatMap((s) => ('model' in s ? [...s.model.entries()] : []));
  return models.reduce(
    (n, e) => n + ('tensor' in e && !/running_(mean|var)$/.test(e.name) ? numel(e.tensor.shape) : 0),
    0,
  );
}

// Only shapes count here, and drawing is slow.
const { normal, uniform } = Rng.prototype;
beforeAll(() => void Object.assign(Rng.prototype, { normal: () => 0, uniform: () => 0 }));
afterAll(() => void Object.assign(Rng.prototype, { normal, uniform }));

describe('a preset has the published number of parameters', () => {
  it.each([
    ['v2-r50', 55_933_312],
    ['v3-r50-300', 68_012_160],
  ] as const)('%s: %i', (name, published) => expect(total(name)).toBe(published));
});
