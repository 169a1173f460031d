export function slowness(): number;
export function patience(ms: number): number;
export function limit(ms: number, late: () => void, options?: { every?: number; measure?: () => number }): () => void;
