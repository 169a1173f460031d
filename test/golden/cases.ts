/** What cases.json holds. */
export interface Cases {
  /** Tensors of more elements are stored as so many samples. */
  limit: number;
  features: Record<string, Network & { N: number; full?: boolean }>;
  moco: Record<string, MoCoCase>;
  v3: Record<string, V3Case>;
  optim: OptimizerCases;
  knn: { bank: number; queries: number; size: number; classes: number; cells: [k: number, T: number][] };
  positions: [h: number, w: number, width: number][];
  picture: { H: number; W: number };
  augment: Record<string, View>;
}

export type Network =
  | {
      kind: 'resnet';
      size: number;
      blocks: number[];
      widths: number[];
      bottleneck: boolean;
      stem: 'cifar' | 'imagenet';
    }
  | { kind: 'vit'; size: number; width: number; depth: number; heads: number; patch: number };

/** Steps of training: the rates of each. */
interface Training {
  N: number;
  size: number;
  dim: number;
  T: number;
  m: number[];
  lr: number[];
  momentum: number;
  weightDecay: number;
}

export interface MoCoCase extends Training {
  head: 'linear' | 'mlp';
  symmetric: boolean;
  blocks: number[];
  widths: number[];
  splits: number;
  K: number;
  ptr: number;
}

export interface V3Case extends Training {
  model: string;
  stem?: 'cifar';
  hidden: number;
  optimizer: 'lars' | 'adamw';
}

export interface OptimizerCases {
  steps: number;
  lr: number[];
  tensors: [name: string, shape: number[]][];
  sgd: { momentum: number; weightDecay: number };
  lars: { momentum: number; weightDecay: number; trust: number };
  adamw: { weightDecay: number };
}

export interface View {
  crop?: [top: number, left: number, height: number, width: number];
  size?: [height: number, width: number];
  steps?: ['brightness' | 'contrast' | 'saturation' | 'hue' | 'grey', number][];
  sigma?: number;
  solarize?: boolean;
  flip?: boolean;
}
