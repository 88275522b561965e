import { Observable } from 'rxjs';
import type { Microphone, MicrophoneOptions } from '../../src/live/node/index.ts';
import { mark, wholeNumber } from '../core/format.ts';
import { fromAsyncIterable } from './from-async-iterable.ts';

export type { Microphone, MicrophoneOptions };

export interface FromMicrophoneOptions extends MicrophoneOptions {
  /** Called when the device is open, before the first block: its rate, and later how many frames were dropped. */
  readonly onOpen?: (microphone: Pick<Microphone, 'sampleRate' | 'channels' | 'dropped'>) => void;
}

/**
 * A microphone's samples as fresh Float32Array blocks (frames × channels), full scale ±1; in Node, by the package
 * `node-web-audio-api`. Every block carries the rate and channels (`formatOf`), which `ssm` and `toWav` take over.
 *
 * An audio callback gathers frames in a thread of its own, so that nothing is lost while the main thread is busy: up to
 * `bufferSeconds` wait. What comes after that is dropped, counted (`dropped`), and made up for with silence, so that
 * time stays right. Blocks behind a sink that asks to `hold` wait in the same place.
 *
 * Cold: each subscription opens the device. Unsubscribing gives it back. Endless, until then.
 *
 *     device   ~~~~~~~~~~~~~~
 *     result   ----a----b----
 *
 * @throws BackendError, as the error of the stream, where there is no microphone, no `node-web-audio-api`, or the
 *   device gives nothing any more; ArgumentError for an option out of range.
 * @example
 * fromMicrophone().pipe(ssm(model, parameters), takeUntil(fromEvent(process, 'SIGINT')), toWav('take.wav')).subscribe();
 */
export function fromMicrophone(options: FromMicrophoneOptions = {}): Observable<Float32Array> {
  const { onOpen, ...rest } = options;
  for (const name of ['blockFrames', 'channels', 'sampleRate'] as const) {
    if (rest[name] !== undefined) wholeNumber('fromMicrophone', name, rest[name]);
  }
  return new Observable((subscriber) => {
    const run = async (): Promise<void> => {
      // Loaded when used: it needs Node's threads, and the other operators run in browsers too.
      const { openMicrophone } = await import('../../src/live/node/index.ts');
      if (subscriber.closed) return;
      const microphone = await openMicrophone(rest);
      subscriber.add(() => void microphone.close().catch(() => {}));
      if (subscriber.closed) return;
      onOpen?.(microphone);
      const { sampleRate, channels } = microphone;
      const marked = async function* (): AsyncGenerator<Float32Array, void, void> {
        for await (const block of microphone.blocks()) yield mark(block, { sampleRate, channels });
      };
      fromAsyncIterable(marked()).subscribe(subscriber);
    };
    run().catch((error: unknown) => subscriber.error(error));
  });
}
