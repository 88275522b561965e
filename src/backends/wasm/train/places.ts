/** Bytes that are in use from one moment to another, both included. */
export interface Lease {
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
}

/**
 * A place for every lease, so that those in use at one moment never overlap: the largest first, each as low as it
 * fits. Returns the places, multiples of 16, and the bytes that all of it takes.
 */
export function placeLeases(leases: readonly Lease[]): {
  readonly places: Float64Array;
  readonly bytes: number;
} {
  const places = new Float64Array(leases.length);
  const order = leases.map((_, i) => i).sort((a, b) => leases[b]!.bytes - leases[a]!.bytes || a - b);
  const placed: number[] = [];
  let bytes = 0;
  for (const i of order) {
    const { from, to, bytes: size } = leases[i]!;
    const neighbours = placed
      .filter((j) => leases[j]!.from <= to && from <= leases[j]!.to)
      .sort((a, b) => places[a]! - places[b]!);
    let at = 0;
    for (const j of neighbours) {
      if (at + size <= places[j]!) break;
      at = Math.max(at, places[j]! + Math.ceil(leases[j]!.bytes / 16) * 16);
    }
    places[i] = at;
    placed.push(i);
    bytes = Math.max(bytes, at + Math.ceil(size / 16) * 16);
  }
  return { places, bytes };
}
