import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of samples between two collections; what is made of them on the way takes some five times as much. */
const EVERY = 1 << 20;

/**
 * Gives the memory of blocks back while a recording is streamed: call the result with the bytes of each.
 *
 * Blocks live for a moment, but what they hold lies outside V8's heap and is freed only when the young generation is
 * collected; that comes about by what is allocated inside the heap, and a compiled filter allocates next to nothing.
 * Left to itself V8 keeps up to 64 MiB of dead samples, and lets its young generation grow to 32 MiB. So that
 * generation stays small, and is collected after every MiB that was read, in about a millisecond. Measured: ten
 * minutes of 48 kHz stereo peaked 38 MiB above ten seconds of it without this, and not above it with it.
 */
export function collectOften(): (bytes: number) => void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void;
  let since = 0;
  return (bytes) => {
    since += bytes;
    if (since < EVERY) return;
    since = 0;
    collect({ type: 'minor' });
  };
}
