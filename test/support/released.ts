import type { StoredTensor } from '../../src/io/safetensors.js';
import type { Saved } from '../io/torch-save.js';

/** Modules in the order in which MoCo's programs make them, which is that of the state dict. */
const ORDER = ['encoder_q.', 'encoder_k.', 'base_encoder.', 'momentum_encoder.', 'predictor.', 'queue'];

/** PyTorch's names for what SGD and AdamW keep; moco-v3's LARS says mu. */
const KEPT: Record<string, string> = {
  'optimizer.velocity': 'momentum_buffer',
  'optimizer.m': 'exp_avg',
  'optimizer.v': 'exp_avg_sq',
};

const isBuffer = (name: string) => /running_mean|running_var|num_batches_tracked|queue/.test(name);

/**
 * A run's tensors in MoCo's released layout: `module.` before each name, the optimizer's state apart, by the number of
 * the parameter.
 */
export function released(
  run: ReadonlyMap<string, StoredTensor>,
  { steps, lars = false }: { steps?: number; lars?: boolean } = {},
): Map<string, unknown> {
  let key = 0;
  const saved = ({ dtype, shape, data }: StoredTensor): Saved => ({
    storage: {
      type: dtype === 'I64' ? 'LongStorage' : 'FloatStorage',
      key: String(key++),
      length: data.length,
      bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    },
    offset: 0,
    size: shape,
    strides: shape.map((_, i) => shape.slice(i + 1).reduce((n, d) => n * d, 1)),
  });
  const place = (name: string) => ORDER.findIndex((prefix) => name.startsWith(prefix));
  const state = [...run].filter(([name]) => place(name) >= 0).sort(([a], [b]) => place(a) - place(b));
  const parameters = state.map(([name]) => name).filter((name) => !isBuffer(name));
  const states = parameters.flatMap((name, i): [number, Map<string, unknown>][] => {
    const kept = Object.entries(KEPT).flatMap(([ours, theirs]): [string, unknown][] => {
      const t = run.get(`${ours}.${name.replace(/^encoder_q\./, '')}`);
      return t ? [[lars ? 'mu' : theirs, saved(t)]] : [];
    });
    return kept.length > 0
      ? [[i, new Map([...kept, ...(steps === undefined ? [] : [['step', steps] as [string, unknown]])])]]
      : [];
  });
  return new Map<string, unknown>([
    ['epoch', 2],
    ['arch', 'a'],
    ['state_dict', new Map(state.map(([name, t]) => [`module.${name}`, saved(t)]))],
    [
      'optimizer',
      new Map<string, unknown>([
        ['state', new Map(states)],
        ['param_groups', [new Map([['params', parameters.map((_, i) => i)]])]],
      ]),
    ],
    ['scaler', new Map([['scale', 65536]])],
  ]);
}
