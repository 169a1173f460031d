import { ConfigError, FormatError } from '../core/errors.js';
import { onnxResNet } from '../io/onnx-resnet.js';
import type { StoredTensor } from '../io/safetensors.js';
import { type Architecture, type Family, headIn } from './family.js';
import { ResNet, type ResNetOptions, resnet, resnetNames, resnetPresets, resnetRules } from './resnet.js';

/** What a ResNet must be to have these tensors. */
interface ResNetArchitecture extends Architecture, ResNetOptions {
  stem: NonNullable<ResNetOptions['stem']>;
  head: 'linear' | 'mlp' | 'none';
}

type Tensors = ReadonlyMap<string, Pick<StoredTensor, 'shape'>>;

/**
 * Reads a ResNet's options off the names and shapes of its tensors (torchvision's, filters as OIHW). A stem of 3×3 is
 * CIFAR's unless `stem` says otherwise, or the first stage has a shortcut that only the small stem needs. Neither names
 * nor shapes tell which convolution of a bottleneck has the stride: it is taken to be the 3×3, as in PyTorch's (v1.5).
 * @throws FormatError for another network, ConfigError for a stem that is not the file's.
 */
function resnetArchitecture(tensors: Tensors, file: string, stem?: string): ResNetArchitecture {
  const shape = (name: string): number[] => tensors.get(name)?.shape ?? [];
  const blocks: number[] = [];
  while (tensors.has(`layer${blocks.length + 1}.0.conv1.weight`))
    blocks.push(countBlocks(tensors, `layer${blocks.length + 1}`));
  const widths = blocks.map((_, i) => shape(`layer${i + 1}.0.conv1.weight`)[0]);
  if (blocks.length === 0 || shape('conv1.weight').length !== 4)
    throw new FormatError(
      `${file}: its encoder must be a ResNet with torchvision's names; ` +
        `got ${[...tensors.keys()].slice(0, 3).join(', ')}. Rename the tensors, or choose another checkpoint.`,
    );
  const bottleneck = tensors.has('layer1.0.conv3.weight');
  const model = Object.keys(resnetPresets).find((name) => same(resnetPresets[name], { blocks, widths, bottleneck }));
  return { model, blocks, widths, bottleneck, stem: stemOf(tensors, file, bottleneck, stem), ...headIn(tensors, 'fc') };
}

function countBlocks(tensors: Tensors, stage: string): number {
  let count = 0;
  while (tensors.has(`${stage}.${count}.conv1.weight`)) count++;
  return count;
}

const STEMS: Record<ResNetArchitecture['stem'], number> = { imagenet: 7, cifar: 3, small: 3 };

function stemOf(tensors: Tensors, file: string, bottleneck: boolean, said?: string): ResNetArchitecture['stem'] {
  const kernel = tensors.get('conv1.weight')!.shape[2];
  if (said !== undefined && !(Object.hasOwn(STEMS, said) && STEMS[said as ResNetArchitecture['stem']] === kernel)) {
    const fitting = Object.entries(STEMS).flatMap(([name, size]) => (size === kernel ? [name] : []));
    throw new ConfigError(
      `${file}: the stem must be one of ${kernel}×${kernel}, as conv1.weight is: ` +
        `${fitting.join(' or ') || 'none is known'}; got ${said}. Choose another --stem.`,
    );
  }
  if (said !== undefined) return said as ResNetArchitecture['stem'];
  if (kernel === 7) return 'imagenet';
  return hasSmallStem(tensors, bottleneck) ? 'small' : 'cifar';
}

/** A first stage of basic blocks has a shortcut only where its stride is 2. */
const hasSmallStem = (tensors: Tensors, bottleneck: boolean): boolean =>
  !bottleneck && tensors.has('layer1.0.downsample.0.weight');

/** What names and shapes leave open, and how it is taken. */
function assumedOfResNet({ stem, bottleneck = false }: ResNetArchitecture, tensors: Tensors): string[] {
  const open = stem === 'cifar' || (stem === 'small' && !hasSmallStem(tensors, bottleneck));
  return open ? [`a stem of 3×3 with stride 1, padding 1 and no pooling (--stem small: stride 2)`] : [];
}

const same = (a: Pick<ResNetOptions, 'blocks' | 'widths' | 'bottleneck'>, b: typeof a): boolean =>
  a.blocks.join() === b.blocks.join() &&
  a.widths.join() === b.widths.join() &&
  (a.bottleneck ?? false) === b.bottleneck;

const { blocks: _, widths: __, bottleneck: ___, ...options } = resnetRules;

export const resnets: Family<ResNetArchitecture> = {
  is: 'a ResNet',
  names: resnetNames,
  options,
  marks: { inside: 'layer1.0.conv1.weight', stem: ['conv1.weight'] },
  head: 'fc',
  recipe: {
    method: 'moco',
    supervised: { optimizer: 'sgd', lr: 0.05, momentum: 0.9, weightDecay: 5e-4, warmup: 0 },
    linear: 'v3',
    presets: { published: 'v3-r50-300', demo: 'v3-demo' },
    projector: 2,
    predictorNorm: false,
  },
  build: resnet,
  recognise: (tensors, file, { stem }) => resnetArchitecture(tensors, file, stem),
  assumed: (architecture, tensors, { stem }) => (stem === undefined ? assumedOfResNet(architecture, tensors) : []),
  restore: ({ model: _, ...sizes }) => new ResNet({ ...sizes, head: 'none' }),
  side: ({ stem }, _, asked) => asked ?? (stem === 'imagenet' ? 224 : 32),
  describe: ({ stem }) => ({ stem }),
  onnx: onnxResNet,
  config: ({ blocks, bottleneck }) => ({
    model_type: 'resnet',
    architectures: ['ResNetModel'],
    depths: blocks,
    layer_type: bottleneck ? 'bottleneck' : 'basic',
  }),
};
