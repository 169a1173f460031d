import { ConfigError, FormatError } from '../core/errors.js';
import type { StoredTensor } from '../io/safetensors.js';
import { type ResNetOptions, resnetPresets } from '../nn/resnet.js';

/** What a ResNet must be to have these tensors. */
export interface Architecture extends ResNetOptions {
  /** The name that `resnet` knows it by, if it has one. */
  model?: string;
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
export function resnetArchitecture(tensors: Tensors, file: string, stem?: string): Architecture {
  const shape = (name: string): number[] => tensors.get(name)?.shape ?? [];
  const blocks: number[] = [];
  while (tensors.has(`layer${blocks.length + 1}.0.conv1.weight`)) blocks.push(countBlocks(tensors, `layer${blocks.length + 1}`));
  const widths = blocks.map((_, i) => shape(`layer${i + 1}.0.conv1.weight`)[0]);
  if (blocks.length === 0 || shape('conv1.weight').length !== 4)
    throw new FormatError(
      `${file}: its encoder must be a ResNet with torchvision's names; ` +
        `got ${[...tensors.keys()].slice(0, 3).join(', ')}. Rename the tensors, or choose another checkpoint.`,
    );
  const bottleneck = tensors.has('layer1.0.conv3.weight');
  const head = tensors.has('fc.0.weight') ? 'mlp' : tensors.has('fc.weight') ? 'linear' : 'none';
  const dim = head === 'mlp' ? headWidths(tensors, 'fc').at(-1) : shape('fc.weight')[0];
  const model = Object.keys(resnetPresets).find((name) => same(resnetPresets[name], { blocks, widths, bottleneck }));
  return { model, blocks, widths, bottleneck, stem: stemOf(tensors, file, bottleneck, stem), head, ...(head !== 'none' && { dim }) };
}

/** Outputs of each linear layer of a head of several, by its name. */
export const headWidths = (tensors: Tensors, head: string): number[] =>
  [0, 1, 2, 3, 4, 5, 6].map((i) => tensors.get(`${head}.${i}.weight`)?.shape ?? []).flatMap((shape) => (shape.length === 2 ? [shape[0]] : []));

function countBlocks(tensors: Tensors, stage: string): number {
  let count = 0;
  while (tensors.has(`${stage}.${count}.conv1.weight`)) count++;
  return count;
}

const STEMS: Record<Architecture['stem'], number> = { imagenet: 7, cifar: 3, small: 3 };

function stemOf(tensors: Tensors, file: string, bottleneck: boolean, said?: string): Architecture['stem'] {
  const kernel = tensors.get('conv1.weight')!.shape[2];
  if (said !== undefined && !(Object.hasOwn(STEMS, said) && STEMS[said as Architecture['stem']] === kernel)) {
    const fitting = Object.entries(STEMS).flatMap(([name, size]) => (size === kernel ? [name] : []));
    throw new ConfigError(`${file}: the stem must be one of ${kernel}×${kernel}, as conv1.weight is: ${fitting.join(' or ') || 'none is known'}; got ${said}. Choose another --stem.`);
  }
  if (said !== undefined) return said as Architecture['stem'];
  if (kernel === 7) return 'imagenet';
  return hasSmallStem(tensors, bottleneck) ? 'small' : 'cifar';
}

/** A first stage of basic blocks has a shortcut only where its stride is 2. */
const hasSmallStem = (tensors: Tensors, bottleneck: boolean): boolean => !bottleneck && tensors.has('layer1.0.downsample.0.weight');

/** What names and shapes leave open, and how it is taken. */
export function assumedOfResNet({ stem, bottleneck = false }: Architecture, tensors: Tensors): string[] {
  const open = stem === 'cifar' || (stem === 'small' && !hasSmallStem(tensors, bottleneck));
  return open ? [`a stem of 3×3 with stride 1, padding 1 and no pooling (--stem small: stride 2)`] : [];
}

const same = (a: Pick<ResNetOptions, 'blocks' | 'widths' | 'bottleneck'>, b: typeof a): boolean =>
  a.blocks.join() === b.blocks.join() && a.widths.join() === b.widths.join() && (a.bottleneck ?? false) === b.bottleneck;
