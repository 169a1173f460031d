export interface Sizes {
  N: number;
  /** Height and width of the picture. */
  H: number;
  C: number;
  O: number;
  /** Height and width of the filter. */
  R: number;
  stride: number;
  what: string;
  /** All three tensors are halves, where the adapter has them; the peers compute in f32. */
  half?: boolean;
}

/** Every distinct convolution of a ResNet whose blocks have these filters. */
function convolutions(
  N: number,
  stem: Sizes,
  first: number,
  blocks: number[],
  bottleneck: boolean,
  what: string,
): Sizes[] {
  const found = new Map<string, Sizes>();
  const add = (H: number, C: number, O: number, R: number, stride: number) =>
    found.set([H, C, O, R, stride].join(), { N, H, C, O, R, stride, what });
  add(stem.H, stem.C, stem.O, stem.R, stem.stride);
  let [H, C] = [first, 64];
  blocks.forEach((count, stage) => {
    const width = 64 * 2 ** stage;
    const outputs = bottleneck ? 4 * width : width;
    for (let i = 0; i < Math.min(count, 2); i++) {
      const stride = i === 0 && stage > 0 ? 2 : 1;
      if (i === 0 && (stride > 1 || C !== outputs)) add(H, C, outputs, 1, stride);
      if (bottleneck) add(H, C, width, 1, 1);
      add(H, bottleneck ? width : C, width, 3, stride);
      H = Math.ceil(H / stride);
      add(H, width, outputs, bottleneck ? 1 : 3, 1);
      C = outputs;
    }
  });
  return [...found.values()];
}

export const cifarResNet18 = (N: number): Sizes[] => {
  const what = 'ResNet-18 CIFAR';
  return convolutions(N, { N, H: 32, C: 3, O: 64, R: 3, stride: 1, what }, 32, [2, 2, 2, 2], false, what);
};

export const imageNetResNet50 = (N: number, side: number): Sizes[] => {
  const what = `ResNet-50 ${side}`;
  return convolutions(N, { N, H: side, C: 3, O: 64, R: 7, stride: 2, what }, side / 4, [3, 4, 6, 3], true, what);
};
