import { chosenOf } from './choose-pictures.js';
import type { Format } from './format.js';
import { bytesOf } from './picture-source.js';
import { SYNTHETIC, streamSynthetic, syntheticPictures } from './synthetic.js';

const COUNT = 1000; // pictures

/** Pictures that are made and not read, by the word `synthetic`; a folder of that name is `./synthetic`. */
export const synthetic: Format = {
  name: SYNTHETIC,
  help: 'the word synthetic (pictures that are made here)',
  recognise: ({ path }) => (path === SYNTHETIC ? [path] : undefined),
  async plan(_, { count = COUNT, size, views, seed = 1, ...choice }) {
    const made = { count, size: size ?? views, seed };
    return {
      decodedBytes: async () => bytesOf(streamSynthetic(made)),
      open: async () => chosenOf(syntheticPictures(made), { ...choice, seed }),
      stream: async () => chosenOf(streamSynthetic(made), { ...choice, seed }),
    };
  },
};
