/** A signal to be given a place: what is written in a pass, and until when it is read there. */
export interface Life {
  /** Multiple of 16. */
  readonly bytes: number;
  /** Number of the node that writes it; −1 for what stands there before the pass begins. */
  readonly from: number;
  /** Number of the last node that reads it; Infinity for what is read when the pass is over. */
  readonly to: number;
  /** Signals whose place it may take although its own writer reads them last: that one works in place. */
  readonly inPlaceOf: readonly number[];
}

/**
 * Places for signals of which nothing outlasts a pass: those that never live at the same time share memory, so that
 * what a block touches is as large as the widest moment of the graph rather than the sum of all its signals.
 * First fit, in the order of the writers.
 *
 * @returns where each begins, in bytes from 0, and how many bytes they take together.
 */
export function shareMemory(lives: readonly Life[]): {
  readonly at: readonly number[];
  readonly bytes: number;
} {
  const at: number[] = [];
  let bytes = 0;
  lives.forEach((life, i) => {
    const blocks: { readonly from: number; readonly to: number }[] = [];
    for (let j = 0; j < i; j++) {
      const other = lives[j]!;
      const isOver = other.to < life.from || other.from > life.to;
      const isTaken = other.to === life.from && life.inPlaceOf.includes(j) && other.bytes >= life.bytes;
      if (!isOver && !isTaken) blocks.push({ from: at[j]!, to: at[j]! + other.bytes });
    }
    const free = (start: number): boolean =>
      blocks.every(({ from, to }) => to <= start || from >= start + life.bytes);
    // Its input's own place first: the cache holds it.
    const starts = [
      ...life.inPlaceOf.map((j) => at[j]!),
      ...[0, ...blocks.map(({ to }) => to)].sort((a, b) => a - b),
    ];
    const start = starts.find(free)!;
    at.push(start);
    bytes = Math.max(bytes, start + life.bytes);
  });
  return { at, bytes };
}
