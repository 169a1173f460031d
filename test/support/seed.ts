import fc from 'fast-check';
import './bindings.js';

declare const TEST_SEED: number | undefined;

/**
 * Properties draw the same cases in every run, so that a failure is a change's and not the day's; TEST_SEED=7 draws
 * others.
 */
fc.configureGlobal({ seed: TEST_SEED });
