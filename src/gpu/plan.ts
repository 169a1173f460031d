/** A buffer that a recording needs from its dispatch `first` to its dispatch `last`. */
export interface Lifetime {
  readonly size: number;
  readonly first: number;
  readonly last: number;
}

export interface MemoryPlan {
  /** For every buffer the place it gets. */
  readonly places: number[];
  /** Bytes of every place. */
  readonly sizes: number[];
}

/**
 * Deals whole buffers to as little memory as a greedy rule finds: the largest first, each into the smallest
 * place that is free all its life (Pisarchyk and Lee, "Efficient memory management for deep neural net
 * inference", arXiv:2001.03288: greedy by size for shared objects).
 */
export function planMemory(items: readonly Lifetime[]): MemoryPlan {
  const places = new Array<number>(items.length);
  const sizes: number[] = [];
  const taken: Lifetime[][] = [];
  const order = items.map((_, i) => i).sort((a, b) => items[b].size - items[a].size || items[a].first - items[b].first);
  for (const i of order) {
    const { size, first, last } = items[i];
    let best = -1;
    taken.forEach((others, place) => {
      if (best >= 0 && sizes[place] >= sizes[best]) return;
      if (others.every((o) => o.last < first || o.first > last)) best = place;
    });
    if (best < 0) {
      best = sizes.push(size) - 1;
      taken.push([]);
    }
    taken[best].push(items[i]);
    places[i] = best;
  }
  return { places, sizes };
}

/** Bytes alive at the worst moment: no plan needs less. */
export function mostAlive(items: readonly Lifetime[]): number {
  const changes = items.flatMap(({ size, first, last }) => [
    [first, size],
    [last + 1, -size],
  ]);
  changes.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let [alive, most] = [0, 0];
  for (const [, bytes] of changes) most = Math.max(most, (alive += bytes));
  return most;
}
