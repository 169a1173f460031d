import { FormatError } from '../core/errors.js';
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
 * CIFAR's unless `stem` says otherwise, or the first stage has a shortcut that only the small stem needs.
 * @throws FormatError for another network.
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
  return { model, blocks, widths, bottleneck, stem: stemOf(tensors, shape('conv1.weight')[2], bottleneck, stem), head, ...(head !== 'none' && { dim }) };
}

/** Outputs of each linear layer of a head of several, by its name. */
export const headWidths = (tensors: Tensors, head: string): number[] =>
  [0, 1, 2, 3, 4, 5, 6].map((i) => tensors.get(`${head}.${i}.weight`)?.shape ?? []).flatMap((shape) => (shape.length === 2 ? [shape[0]] : []));

function countBlocks(tensors: Tensors, stage: string): number {
  let count = 0;
  while (tensors.has(`${stage}.${count}.conv1.weight`)) count++;
  return count;
}

function stemOf(tensors: Tensors, kernel: number, bottleneck: boolean, said?: string): Architecture['stem'] {
  if (kernel === 7) return 'imagenet';
  if (said === 'small' || said === 'cifar') return said;
  return !bottleneck && tensors.has('layer1.0.downsample.0.weight') ? 'small' : 'cifar';
}

const same = (a: Pick<ResNetOptions, 'blocks' | 'widths' | 'bottleneck'>, b: typeof a): boolean =>
  a.blocks.join() === b.blocks.join() && a.widths.join() === b.widths.join() && (a.bottleneck ?? false) === b.bottleneck;
