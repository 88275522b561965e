import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A full collection, whatever the flags of this process. */
function collect(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** Calls between two collections: a few hundred bytes a call still fit into the young generation then. */
const WINDOW = 4000;

/** Bytes that the heap grows by while `work` is called: the least of `rounds`, since the engine allocates now and then. */
function growth(rounds: number, calls: number, work: () => void): number {
  let least = Infinity;
  for (let round = 0; round < rounds; round++) {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < calls; i++) work();
    least = Math.min(least, process.memoryUsage().heapUsed - before);
  }
  return least;
}

/** Times that it is looked at: where the machine is busy, the engine's compilers come late. */
const ATTEMPTS = 5;
const CLEAN = 8;

/**
 * Bytes of the JavaScript heap that one of `calls` calls to `work` takes, once it has run for a while: what a window of
 * calls takes beyond what a tenth of them does, which leaves out what looking itself costs. The smallest object has 16
 * bytes; some kilobytes of the engine's own in a window make a byte or two. What is not yet optimised is looked at again:
 * an object of `work`'s own would be there every time.
 */
export function allocatedBy(calls: number, work: () => void): number {
  const rounds = Math.max(8, Math.ceil(calls / WINDOW));
  let least = Infinity;
  for (let attempt = 0; attempt < ATTEMPTS && least >= CLEAN; attempt++) {
    // Compilers of the background get their turn.
    if (attempt > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    for (let i = 0; i < 5 * WINDOW; i++) work();
    const bytes = growth(rounds, WINDOW, work) - growth(rounds, WINDOW / 10, work);
    least = Math.min(least, bytes / (0.9 * WINDOW));
  }
  return least;
}
