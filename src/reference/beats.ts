/** Whether `v` takes the place of the largest value so far: the first NaN is larger than any number. */
export const beats = (v: number, most: number): boolean => v > most || (Number.isNaN(v) && !Number.isNaN(most));
