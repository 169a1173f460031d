import { loadVariants } from '../../src/backend/variants.js';
import '../../src/engine.js';

// Every table has all of its variants, as after device() in Node: for tests that open a device by other ways, or none.
await loadVariants();
