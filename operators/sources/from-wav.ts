import { Observable } from 'rxjs';
import type { WavInfo, WavSource } from '../../src/audio/index.ts';
import { mark, wholeNumber } from '../core/format.ts';
import { fromAsyncIterable } from './from-async-iterable.ts';

export interface FromWavOptions {
  /** Frames of a block, the last one excepted; 1024 by default. */
  readonly blockFrames?: number;
  /** Called with what the header says, before the first block. */
  readonly onInfo?: (info: WavInfo) => void;
}

// Loaded when used: it needs Node's file system, and the other operators run in browsers too.
const wav = () => import('../../src/audio/wav/index.ts');

/**
 * The samples of a WAV file as fresh Float32Array blocks (frames × channels), full scale ±1. Every block carries
 * the file's rate and channels (`formatOf`), which `ssm` and `toWav` take over.
 *
 * Cold: each subscription opens the file (a stream of bytes can be read once only). The next block is read only
 * after the one before has been delivered and `hold`s have settled, so any file runs in constant memory.
 * Unsubscribing closes the file.
 *
 *     file     [====|====|==]
 *     result   -a----b----(c|)
 *
 * @throws FormatError, ArgumentError as the error of the stream: see `readWav`.
 * @example
 * fromWav('in.wav', { blockFrames: 512 }).pipe(ssm(model, parameters), toWav('out.wav')).subscribe();
 */
export function fromWav(source: WavSource, options: FromWavOptions = {}): Observable<Float32Array> {
  const { blockFrames = 1024, onInfo } = options;
  wholeNumber('fromWav', 'blockFrames', blockFrames);
  return new Observable((subscriber) => {
    const open = async (): Promise<void> => {
      const { readWav } = await wav();
      if (subscriber.closed) return;
      const reader = await readWav(source);
      // At once, also while a block is being read; the generator alone would wait for that.
      subscriber.add(() => void reader.close().catch(() => {}));
      if (subscriber.closed) return;
      const { sampleRate, channels } = reader.info;
      const format = { sampleRate, channels };
      onInfo?.(reader.info);
      const marked = async function* (): AsyncGenerator<Float32Array, void, void> {
        for await (const block of reader.blocks(blockFrames)) yield mark(block, format);
      };
      fromAsyncIterable(marked()).subscribe(subscriber);
    };
    open().catch((error: unknown) => subscriber.error(error));
  });
}

/**
 * What a WAV file says about itself.
 *
 * @example
 * const { sampleRate, channels, seconds } = await wavInfo('in.wav');
 */
export async function wavInfo(source: WavSource): Promise<WavInfo> {
  const { readWav } = await wav();
  const reader = await readWav(source);
  await reader.close();
  return reader.info;
}
