/** Numbers frames into a ring: k in the first channel, −k in the second. */
import { workerData } from 'node:worker_threads';
import { RingBuffer, type RingMemory } from '../../../src/live/ring-buffer.ts';

const { memory, total } = workerData as { memory: RingMemory; total: number };
const ring = new RingBuffer(memory);
const block = new Float32Array(2 * 128);
for (let sent = 0; sent < total;) {
  const frames = Math.min(128, total - sent);
  for (let i = 0; i < frames; i++) {
    block[2 * i] = sent + i;
    block[2 * i + 1] = -(sent + i);
  }
  // A full ring is tried again: the reader is fast.
  for (let done = 0; done < frames;) done += ring.write(block.subarray(2 * done), frames - done);
  sent += frames;
}
ring.close();
