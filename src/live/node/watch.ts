import type { RingBuffer } from '../ring-buffer.ts';

/** Without a frame of input, before a device counts as lost. */
const PATIENCE_SECONDS = 10;

/**
 * Calls back once, where no frame comes for ten seconds: a card that was pulled out, a server that has gone.
 *
 * @returns how to watch no more.
 */
export function watch(capture: RingBuffer, lost: () => void): () => void {
  let before = -1;
  let still = 0;
  const timer = setInterval(() => {
    const now = capture.counts.written + capture.counts.dropped;
    still = now === before ? still + 1 : 0;
    before = now;
    if (still < PATIENCE_SECONDS || capture.closed) return;
    clearInterval(timer);
    lost();
  }, 1000);
  return () => clearInterval(timer);
}
