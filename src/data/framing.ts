/** Height and width in pixels. */
export interface Shape {
  height: number;
  width: number;
}

/**
 * How pictures are brought to the size that is worked with: this file alone says how much of a picture is seen, and how
 * sharp.
 */
export interface Framing {
  /** No decoded picture has more pixels than a square of this side. */
  side: number;
  /** Whether every decoded picture is that square. */
  square: boolean;
  /** The filter that pictures are scaled by. */
  kernel: 'lanczos3' | 'linear';
  /**
   * What a picture is scaled to, and how much of its middle is used; the same for a picture whatever lies beside it.
   */
  of(picture: Shape): { to: Shape; keep: Shape };
}

/** The middle square of every picture, scaled to `side` pixels. */
export const squares = (side: number): Framing => ({
  side,
  square: true,
  kernel: 'lanczos3',
  of: ({ height, width }) => {
    const scale = side / Math.min(height, width);
    return {
      to: { height: Math.round(height * scale), width: Math.round(width * scale) },
      keep: { height: side, width: side },
    };
  },
});

/**
 * Pixels of a decoded picture over those of a view: 5 are those of MoCo's smallest crop, a fifth of the area, and leave
 * ImageNet's pictures as they are.
 */
const [FEWEST, MOST] = [4, 5];

/**
 * Whole pictures, in their own shape, for random crops that become views of `size` pixels a side: never enlarged, and
 * shrunk no further than that the smallest crop, `cropMin` of the area if that is a fifth at least, has as many pixels
 * as a view, and the shorter side of a picture up to four times as wide as high is `size`. The original programs crop
 * the picture in its file.
 */
export function forCrops(size: number, cropMin: number): Framing {
  const side = Math.ceil(size * Math.sqrt(Math.min(MOST, Math.max(FEWEST, 1 / cropMin))));
  const of = (picture: Shape) => {
    const scale = side / Math.sqrt(picture.height * picture.width);
    if (scale >= 1) return { to: picture, keep: picture };
    const height = Math.max(1, Math.floor(picture.height * scale));
    const to = {
      height: Math.min(height, side * side),
      width: Math.min(Math.max(1, Math.floor(picture.width * scale)), Math.floor((side * side) / height)),
    };
    return { to, keep: to };
  };
  return { side, square: false, kernel: 'lanczos3', of };
}

/**
 * Of the scaled picture's shorter side, the part that evaluation sees: Resize(256) and CenterCrop(224) of the original
 * programs.
 */
const SEEN = 224 / 256;

/**
 * The rule of evaluation (k-NN, linear evaluation, features): a picture whose shorter side is longer than the `size` of
 * views is scaled until that side is size · 256 / 224, and the square of `size` in its middle is seen; of a smaller
 * picture the whole middle square is, as CIFAR's pictures are. By a triangle filter, as torchvision does.
 */
export const forEvaluation = (size: number): Framing => ({
  side: size,
  square: false,
  kernel: 'linear',
  of: (picture) => {
    const shorter = Math.min(picture.height, picture.width);
    if (shorter <= size) return { to: picture, keep: { height: shorter, width: shorter } };
    const scaled = (side: number) => Math.floor((Math.round(size / SEEN) * side) / shorter);
    return {
      to: { height: scaled(picture.height), width: scaled(picture.width) },
      keep: { height: size, width: size },
    };
  },
});

/** The same rule for a picture that is decoded already: top, left, height and width of what evaluation sees of it. */
export function evaluatedBox(
  { height, width }: Shape,
  size: number,
): [top: number, left: number, height: number, width: number] {
  const shorter = Math.min(height, width);
  const side = shorter > size ? Math.round(shorter * SEEN) : shorter;
  return [middle(height - side), middle(width - side), side, side];
}

/** Where the middle begins, as torchvision's CenterCrop has it: half of the rest, a half rounded to the even number. */
export const middle = (rest: number): number => (rest % 4 === 3 ? (rest + 1) / 2 : Math.floor(rest / 2));
