/**
 * fast-check with fewer runs a property, for the passes over the op tests that repeat on a second driver or in
 * a browser what the first has tried in full. TEST_RUNS is the share of runs kept, and at least three are.
 */
import real from 'fast-check';

declare const TEST_RUNS: number;

const fewer = <P extends { numRuns?: number }>(parameters: P = {} as P): P => ({
  ...parameters,
  numRuns: Math.max(Math.min(3, parameters.numRuns ?? 100), Math.round((parameters.numRuns ?? 100) * TEST_RUNS)),
});

export * from 'fast-check';
export const assert: typeof real.assert = ((property: never, parameters: never) =>
  real.assert(property, fewer(parameters))) as typeof real.assert;
export default { ...real, assert };
