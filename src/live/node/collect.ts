import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects garbage, now, whatever the flags of this process. `node-web-audio-api` 2.2 gives a microphone back when its
 * `MediaStream` is collected, and in no other way: its streams have no tracks that could be stopped, and closing the
 * context leaves them open. A client that vanishes with its process instead leaves a JACK server waiting for it: the
 * next one to open the card then stands still (`test/live/jack.test.ts` sees it).
 */
export async function collectNow(): Promise<void> {
  // What was awaited last is held until the next turn.
  await new Promise((resolve) => setImmediate(resolve));
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  // Finalizers run in a turn of their own.
  await new Promise((resolve) => setImmediate(resolve));
}
