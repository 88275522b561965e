import { setTimeout as sleep } from 'node:timers/promises';
import { BackendError } from '../../errors.ts';
import { RingBuffer, ringMemory } from '../ring-buffer.ts';
import { probe } from './probe.ts';
import { openTap } from './tap.ts';
import { watch } from './watch.ts';

export interface MicrophoneOptions {
  /** A part of its name, its id, or `default`, which is the default. `statewave mic --list-devices` lists names. */
  readonly device?: string | undefined;
  /** Hz; by default what the default loudspeaker runs at, else 48,000. */
  readonly sampleRate?: number | undefined;
  /** 1 by default. */
  readonly channels?: number | undefined;
  /** Frames of a block, the last one excepted; 1024 by default. */
  readonly blockFrames?: number | undefined;
  /** Seconds that may wait for a reader who is late; 10 by default. What comes then is dropped, and counted. */
  readonly bufferSeconds?: number | undefined;
}

/** An open microphone. */
export interface Microphone {
  /** Hz. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Frames that came while the reader was too late, so far; as many frames of silence stand in their place. */
  readonly dropped: number;
  /**
   * What it hears, frames × channels, in fresh blocks; to be read once.
   *
   * @throws BackendError where the device gives nothing any more, after all that it gave.
   */
  blocks(): AsyncGenerator<Float32Array, void, void>;
  /** Hears no more: `blocks` ends with what has been heard. */
  stop(): void;
  /** Gives the device back, at once. */
  close(): Promise<void>;
}

/** Where nothing names a rate. */
const USUAL_RATE = 48_000;
const POLL_MS = 5;

/**
 * Opens a microphone: an AudioWorklet gathers what it hears into a ring, so that a busy main thread loses nothing.
 *
 * @throws BackendError where there is none, or no `node-web-audio-api`, with what to do.
 */
export async function openMicrophone(options: MicrophoneOptions = {}): Promise<Microphone> {
  const { device = 'default', channels = 1, blockFrames = 1024, bufferSeconds = 10 } = options;
  // The loudspeaker stays silent: it is there for its clock.
  const found = await probe({ microphone: device, speaker: 'default', sampleRate: options.sampleRate });
  if (found.microphone === undefined) {
    throw new BackendError(
      `no microphone could be opened (${found.microphoneError ?? 'it says nothing'}); plug one in, or name another ` +
        '(statewave mic --list-devices says which there are)',
    );
  }
  const sampleRate = options.sampleRate ?? found.outputRate ?? USUAL_RATE;
  const frames = Math.max(Math.ceil(bufferSeconds * sampleRate), 2 * blockFrames);
  const ring = new RingBuffer(ringMemory({ frames, channels }));
  const speaker = found.outputRate === undefined ? undefined : 'default';
  const tap = await openTap({ sampleRate, capture: ring.memory, microphone: device, speaker });
  let lost = false;
  const unwatch = watch(ring, () => {
    lost = true;
    ring.close();
  });
  return {
    sampleRate,
    channels,
    get dropped() {
      return ring.counts.dropped;
    },
    async *blocks() {
      for (;;) {
        // Asked for before the frames are counted: what was written before it closed is counted then.
        const { closed } = ring;
        const count = Math.min(blockFrames, ring.available);
        if (count === blockFrames || (closed && count > 0)) {
          const block = new Float32Array(count * channels);
          ring.read(block);
          yield block;
        } else if (closed) break;
        else await sleep(POLL_MS);
      }
      if (lost) throw new BackendError('the microphone gives nothing any more: is it still plugged in?');
    },
    stop() {
      unwatch();
      tap.stop();
      // A device that has gone calls no more.
      setTimeout(() => ring.close(), 500).unref();
    },
    async close() {
      unwatch();
      ring.close();
      await tap.close();
    },
  };
}
