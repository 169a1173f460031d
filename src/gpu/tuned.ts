/**
 * Rungs measured by `tune` and shipped: adapter → class of shapes → rung. Adapters that are not here are served by
 * each ladder's guess, which asks for traits only, until `tune` is called on them.
 */
export const shipped: Record<string, Record<string, string>> = {};
