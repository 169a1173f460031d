/** What npm runs before it packs, in a clone and for a git address: code and types, if they are not up to date. */
import { build } from './setup.mjs';

await build({ types: true });
