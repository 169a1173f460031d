/**
 * Variants measured by `tune` and shipped: adapter → class of shapes → variant. Adapters that are not here are served
 * by each table's heuristic, which asks for traits only, until `tune` is called on them.
 */
export const shipped: Record<string, Record<string, string>> = {};
