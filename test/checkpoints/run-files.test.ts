import { describe, expect, it } from 'vitest';
import { onShapes } from '../../src/backend/shapes.js';
import { checkCheckpoint, slots } from '../../src/checkpoints/checkpoint.js';
import { readCheckpointFile, readRunFile } from '../../src/checkpoints/run-files.js';
import { FormatError } from '../../src/core/errors.js';
import { version } from '../../src/core/version.js';
import { objectsIn } from '../../src/io/json.js';
import { encodeSafetensors, type StoredTensor } from '../../src/io/safetensors.js';
import { StepLog } from '../../src/io/step-log.js';
import { demoConfig, type PretrainConfig } from '../../src/moco/config.js';
import { createMethod } from '../../src/moco/create.js';

const run = (over: object = {}, config: object = {}) =>
  JSON.stringify({
    version,
    adapter: 'SwiftShader',
    command: 'dawngrad pretrain',
    data: 'photos',
    choice: { classes: ['a'], limitPerClass: 3 },
    config: { ...demoConfig, ...config },
    seed: 1,
    ...over,
  });

describe('config.json', () => {
  it('is read back, and what older runs did not say is filled in', () => {
    expect(readRunFile(run(), 'x').config).toEqual(demoConfig);
    expect(readRunFile(run({}, { knnOutputs: undefined }), 'x').config).toEqual(demoConfig);
    expect(readRunFile(run({ choice: undefined }), 'x').choice).toEqual({});
    expect(readRunFile(run(), 'x').products).toBeUndefined();
    expect(readRunFile(run({ products: 'f32' }), 'x').products).toBe('f32');
  });

  it.each<[string, string, RegExp]>([
    ['another version', run({ version: '0.9.3' }), /version must be one of 0\.1; got '0\.9\.3'/],
    ['a later version', run({ version: '1.1.0' }), /version must be one of 0\.1; got '1\.1\.0'/],
    ['no version', run({ version: undefined }), /version must be a string; got undefined/],
    ['an unknown field', run({ pickle: 1 }), /the field 'pickle' must be known/],
    ['an unknown setting', run({}, { lrr: 1 }), /the field 'config\.lrr' must be known/],
    ['a setting against its rule', run({}, { K: -1 }), /config\.K must be a whole number above 0; got -1/],
    ['products that are none', run({ products: 32 }), /products must be a string; got 32/],
    ['no model', run({}, { model: undefined }), /config\.model must be a string; got undefined/],
    ['a choice of another kind', run({ choice: { count: 'all' } }), /choice\.count must be .*; got 'all'/],
    ['a configuration that is a list', run({ config: [1] }), /config\. must be an object; got \[1\]/],
    ['a name twice', run().replace('"data"', '"data":"b","data"'), /each name once; got 'the name "data" twice'/],
    ['a list', '[]', /must be a JSON object/],
    ['half of it', run().slice(0, 40), /must be JSON/],
  ])('with %s is refused by the name of the field', (_, json, says) => {
    expect(() => readRunFile(json, 'config.json')).toThrow(says);
    expect(() => readRunFile(json, 'config.json')).toThrow(FormatError);
  });
});

describe('what a checkpoint says of itself', () => {
  const about = {
    format: 'dawngrad-moco',
    version,
    step: '12',
    metrics: '24',
    pictures: '40',
    method: 'moco',
    model: 'resnet-tiny',
  };
  it('is read, and what programs add is passed over', () => {
    const read = { version, step: 12, metrics: 24, pictures: 40 };
    expect(readCheckpointFile(about, 'x')).toEqual(read);
    expect(readCheckpointFile({ ...about, by: 'knn', tensors: 'x' }, 'x')).toEqual(read);
  });

  it.each<[object, RegExp]>([
    [{ step: '1.5' }, /step must be a whole number, at least 0; got '1\.5'/],
    [{ step: undefined }, /step must be a whole number.*convert x\.safetensors OUT/],
    [{ metrics: '-1' }, /metrics must be a whole number, at least 0; got '-1'/],
    [{ version: '2.0.0' }, /version must be one of 0\.1/],
    [{ step: { toString: 1 } }, /step must be a whole number, at least 0; got an object/],
    [{ pictures: [{ toString: 1 }] }, /pictures must be a whole number/],
    [{ format: 'pt' }, /format must be dawngrad-moco; got 'pt'/],
    [{ pictures: '0' }, /pictures must be a whole number, at least 1/],
    [{ method: 'simclr' }, /method must be moco, .*; got 'simclr'/],
  ])('with %o is refused', (change, says) => {
    expect(() => readCheckpointFile({ ...about, ...change }, 'x.safetensors')).toThrow(says);
  });
});

describe('counts of a checkpoint', () => {
  const config: PretrainConfig = { ...demoConfig, K: 8, dim: 4, batch: 4 };
  const file = (pointer: bigint, tracked = 0n) => {
    const tensors = onShapes(() => slots(createMethod(config, 1))).map(
      ({ name, dtype, shape }): [string, StoredTensor] => {
        const length = shape.reduce((n, d) => n * d, 1);
        const count = name === 'queue_ptr' ? pointer : tracked;
        const data = dtype === 'I64' ? new BigInt64Array(length).fill(count) : new Float32Array(length);
        return [name, { dtype, shape: [...shape], data }];
      },
    );
    return encodeSafetensors(new Map(tensors));
  };

  it('are of the queue', () => {
    checkCheckpoint(config, file(0n), 'x');
    checkCheckpoint(config, file(7n, 3n), 'x');
    for (const outside of [8n, -1n, 2n ** 62n])
      expect(() => checkCheckpoint(config, file(outside), 'x')).toThrow(
        `x: queue_ptr must be a whole number in [0, 7]; got ${outside}.`,
      );
    expect(() => checkCheckpoint(config, file(0n, -5n), 'x')).toThrow(/num_batches_tracked must be a whole number in/);
  });
});

describe('metrics', () => {
  const lines = (text: string) => [...objectsIn(text, 'metrics.jsonl')];
  it('are objects; a line that a crash cut off is left out', () => {
    expect(lines('{"a":1}\n{"b":\n\n{"c":3}\n{"d"')).toEqual([{ a: 1 }, { c: 3 }]);
  });

  it.each(['1', '"x"', 'null', '[]', 'true', '{"a":1,"a":2}'])('a line %s is refused', (line) => {
    expect(() => lines(`{"a":1}\n${line}\n`)).toThrow(
      /metrics\.jsonl: each line must be an object, each name once; got/,
    );
  });

  it.each([
    [{ loss: 'low' }, /loss of a step must be a number; got 'low'/],
    [{ step: 1.5 }, /step of a step must be a whole number/],
    [{ gradNorm: {} }, /gradNorm of a step must be a number; got an object/],
  ])('of a step with %o are refused', (change, says) => {
    const step = { step: 1, epoch: 1, loss: 1, contrastTop1: 0, lr: 1, ...change };
    expect(() => new StepLog().add(step as never)).toThrow(says);
  });
});
