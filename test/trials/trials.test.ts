import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { conduct, type Trial, told } from './trial.js';

const END = '.trial.ts';
const names = readdirSync(import.meta.dirname).flatMap((file) =>
  file.endsWith(END) ? [file.slice(0, -END.length)] : [],
);

describe('the short form of every trial loses nothing', () => {
  it.each(names)('%s', async (name) => {
    const { default: trial } = (await import(`./${name}.trial.ts`)) as { default: Trial };
    const outcome = await conduct(trial);
    expect(outcome.tally.losses, told(name, trial, outcome)).toBe(0);
    expect([...outcome.tally.tried.values()].some((times) => times > 0)).toBe(true);
  });
});

describe('a trial', () => {
  const trial = (round: (seed: number) => void): Trial => ({
    promise: 'every round ends.',
    rounds: 3,
    start: () => ({ round: (seed, tally) => (tally.count('rounds'), round(seed)) }),
  });

  it('that throws has lost something, and tells the seed it is seen again with', async () => {
    const fragile = trial((seed) => {
      if (seed === 8) throw new Error('broken');
    });
    const outcome = await conduct(fragile, { seed: 7 });
    expect(outcome.tally.losses).toBe(1);
    expect(told('x', fragile, outcome)).toMatch(
      /tried 3 rounds in 3 .*\n {2}lost 1\n[^]*broken[^]*--seed 8 --rounds 1/,
    );
  });

  it('ends when its time is up', async () => {
    const outcome = await conduct(
      trial(() => undefined),
      { minutes: 0.001 },
    );
    expect(outcome.rounds).toBeGreaterThan(0);
    expect(outcome.seconds).toBeLessThan(10);
  });
});
