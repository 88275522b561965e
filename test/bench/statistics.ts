/** A distribution in three numbers. */
export interface Spread {
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
}

/** Median and quartiles, by linear interpolation between the sorted values. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    return sorted[below]! + (sorted[Math.ceil(place)]! - sorted[below]!) * (place - below);
  };
  return { lower: at(0.25), median: at(0.5), upper: at(0.75) };
}
