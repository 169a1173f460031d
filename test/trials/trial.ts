/** What a trial has tried and lost so far. */
export class Tally {
  readonly tried = new Map<string, number>();
  readonly lost: string[] = [];
  /** The seed of the round under way. */
  seed = 0;
  #lost = 0;

  /** Counts something that was tried, by what it is or what came of it. */
  count(what: string, times = 1): void {
    this.tried.set(what, (this.tried.get(what) ?? 0) + times);
  }

  /** Tells of something lost; the first twenty are kept in words. */
  lose(what: string): void {
    if (this.#lost++ < 20) this.lost.push(`${what} (--seed ${this.seed} --rounds 1)`);
  }

  get losses(): number {
    return this.#lost;
  }
}

/** A trial that is under way. */
export interface Started {
  /** One round: random by `seed` alone, so that a loss is seen again with `--seed SEED --rounds 1`. */
  round(seed: number, tally: Tally): Promise<void> | void;
  close?(): Promise<void> | void;
}

/** A trial: the default export of `test/trials/NAME.trial.ts`. */
export interface Trial {
  /** What must hold in every round, in a sentence. */
  readonly promise: string;
  /** Rounds of the short form, which `npm test` runs: a second or two. */
  readonly rounds: number;
  start(): Promise<Started> | Started;
}

/** How long a trial goes on, and from which seed: by default for the rounds of its short form, from seed 1. */
export interface Limits {
  rounds?: number;
  minutes?: number;
  seed?: number;
}

/** What a trial came to. */
export interface Outcome {
  tally: Tally;
  rounds: number;
  seed: number;
  seconds: number;
}

/** Runs a trial until its time is up or its rounds are done. A round that throws has lost something. */
export async function conduct(trial: Trial, { minutes, rounds, seed = 1 }: Limits = {}): Promise<Outcome> {
  const tally = new Tally();
  const from = performance.now();
  const seconds = () => (performance.now() - from) / 1000;
  const most = rounds ?? (minutes === undefined ? trial.rounds : Infinity);
  const started = await trial.start();
  let done = 0;
  try {
    for (; done < most && !(seconds() >= (minutes ?? Infinity) * 60); done++) {
      tally.seed = seed + done;
      await Promise.resolve()
        .then(() => started.round(tally.seed, tally))
        .catch((error: Error) => tally.lose(`the round threw ${error?.stack ?? error}`));
    }
  } finally {
    await started.close?.();
  }
  return { tally, rounds: done, seed, seconds: seconds() };
}

const number = (n: number): string => n.toLocaleString('en-US');

/** The outcome as text: what was tried, how fast, and every loss. */
export function told(name: string, trial: Trial, { tally, rounds, seed, seconds }: Outcome): string {
  const tried = [...tally.tried].map(([what, times]) => `${number(times)} ${what}`).join(', ');
  return [
    `${name}: ${trial.promise}`,
    `  tried ${tried || 'nothing'} in ${number(rounds)} rounds from seed ${seed}, ${seconds.toFixed(1)} s`,
    `  lost ${number(tally.losses)}`,
    ...tally.lost.map((what) => `  - ${what}`),
  ].join('\n');
}
