import { mkdtemp, readFile, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Subject, from, lastValueFrom, of, throwError, type Observable } from 'rxjs';
import { concatWith, delay, map, take, toArray } from 'rxjs/operators';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  formatOf,
  fromAsyncIterable,
  fromWav,
  hold,
  mono,
  ssm,
  toWav,
  wavInfo,
  withFormat,
} from '../../operators/index.ts';
import { createWavWriter, decodeWav, type WavInfo } from '../../src/audio/index.ts';
import { ArgumentError, FormatError, GraphError, StreamError } from '../../src/errors.ts';
import { compile } from '../../src/stream/index.ts';
import { a, concatenated, halfRate, integrator, lookAhead, noise } from './models.ts';

let folder: string;
const at = (name: string): string => join(folder, name);
const listing = async (): Promise<string[]> => (await readdir(folder)).toSorted();
const samplesOf = async (name: string): Promise<Float32Array> => decodeWav(await readFile(at(name))).samples;

/** How often this process has the file open; undefined where the system doesn't say. */
async function opened(path: string): Promise<number | undefined> {
  const descriptors = await readdir('/proc/self/fd').catch(() => undefined);
  const links = descriptors?.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
  return links && (await Promise.all(links)).filter((link) => link === path).length;
}

const stereo = noise(2 * 5000, 11);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'statewave-'));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  for (const name of await listing()) await rm(at(name));
  const writer = createWavWriter(at('in.wav'), { sampleRate: 16_000, channels: 2, encoding: 'float32' });
  await writer.write(stereo);
  await writer.close();
});

describe('fromWav', () => {
  it('gives the samples in blocks that carry their format', async () => {
    const infos: WavInfo[] = [];
    const source = fromWav(at('in.wav'), { blockFrames: 1024, onInfo: (info) => infos.push(info) });
    const blocks = await lastValueFrom(source.pipe(toArray()));
    expect(blocks.map((block) => block.length / 2)).toEqual([1024, 1024, 1024, 1024, 904]);
    expect(concatenated(blocks)).toEqual([...stereo]);
    expect(blocks.map(formatOf)).toEqual(blocks.map(() => ({ sampleRate: 16_000, channels: 2 })));
    expect(infos).toMatchObject([{ sampleRate: 16_000, channels: 2, frames: 5000 }]);
    // Cold: the same again.
    expect(concatenated(await lastValueFrom(source.pipe(toArray())))).toEqual([...stereo]);
  });

  it('reads bytes too, and tells about a file', async () => {
    const bytes = await readFile(at('in.wav'));
    expect(concatenated(await lastValueFrom(fromWav(bytes).pipe(toArray())))).toEqual([...stereo]);
    expect(await wavInfo(at('in.wav'))).toMatchObject({ sampleRate: 16_000, channels: 2, frames: 5000 });
  });

  it('stops reading and closes the file when it is unsubscribed', async () => {
    const blocks = await lastValueFrom(fromWav(at('in.wav'), { blockFrames: 10 }).pipe(take(3), toArray()));
    expect(concatenated(blocks)).toEqual([...stereo].slice(0, 60));
    if (process.platform === 'linux') {
      await vi.waitFor(async () => expect(await opened(at('in.wav'))).toBe(0));
    }
  });

  it('lets go of a stream of bytes that has nothing to give', async () => {
    let returned = false;
    const header = (await readFile(at('in.wav'))).subarray(0, 1000);
    const bytes: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => {
        let sent = false;
        return {
          next: () => {
            if (sent) return new Promise(() => {});
            sent = true;
            return Promise.resolve({ done: false, value: header });
          },
          return: () => {
            returned = true;
            return Promise.resolve({ done: true, value: undefined });
          },
        };
      },
    };
    const subscription = fromWav(bytes, { blockFrames: 64 }).subscribe();
    await sleep(20);
    subscription.unsubscribe();
    await vi.waitFor(() => expect(returned).toBe(true));
  });

  it('ends with the error of a file that is none, or is not there', async () => {
    await writeFile(at('text.wav'), 'no RIFF at all, but long enough to hold one');
    await expect(lastValueFrom(fromWav(at('text.wav')))).rejects.toThrow(FormatError);
    await expect(lastValueFrom(fromWav(at('absent.wav')))).rejects.toThrow(ArgumentError);
    expect(() => fromWav(at('in.wav'), { blockFrames: 0 })).toThrow(ArgumentError);
  });

  it('reads on only when what sinks hold has settled', async () => {
    let inFlight = 0;
    let most = 0;
    let frames = 0;
    await fromWav(at('in.wav'), { blockFrames: 100 })
      .pipe(ssm(integrator(), a))
      .forEach((block) => {
        frames += block.length / 2;
        most = Math.max(most, ++inFlight);
        expect(hold(sleep(1).then(() => inFlight--))).toBe(true);
      });
    expect(most).toBe(1);
    expect(frames).toBe(5000);
    expect(hold(Promise.resolve())).toBe(false);
  });
});

describe('toWav', () => {
  it('takes over rate and channels: one state a channel, flushed, the file complete', async () => {
    const written = await lastValueFrom(
      fromWav(at('in.wav')).pipe(ssm(lookAhead(7), a), toWav(at('out.wav'), { encoding: 'float32' })),
    );
    const sides = [0, 1].map((side) => {
      const stream = compile(lookAhead(7), a);
      const input = stereo.filter((_, i) => i % 2 === side);
      return [...stream.push(input), ...stream.flush()];
    });
    const samples = await samplesOf('out.wav');
    expect([...samples]).toEqual(sides[0]!.flatMap((y, k) => [y, sides[1]![k]!]));
    const peak = samples.reduce((most, y) => Math.max(most, Math.abs(y)), 0);
    expect(written).toEqual({ sampleRate: 16_000, channels: 2, frames: 5000, peak, clipped: 0 });
    expect(await listing()).toEqual(['in.wav', 'out.wav']);
    expect(await wavInfo(at('out.wav'))).toMatchObject({ sampleRate: 16_000, channels: 2 });
  });

  it('writes the rate that the model gives', async () => {
    await lastValueFrom(fromWav(at('in.wav')).pipe(mono(), ssm(halfRate, {}), toWav(at('out.wav'))));
    expect(await wavInfo(at('out.wav'))).toMatchObject({ sampleRate: 8000, channels: 2, frames: 2500 });
  });

  it('completes after the file is there', async () => {
    const log: unknown[] = [];
    const source = new Subject<Float32Array>();
    const done = new Promise<void>((resolve) => {
      source.pipe(toWav(at('out.wav'), { sampleRate: 8000, channels: 1 })).subscribe({
        next: ({ frames }) => log.push(frames),
        complete: () => {
          log.push('|');
          resolve();
        },
      });
    });
    const block = Float32Array.of(0.5, -0.5);
    source.next(block);
    // The file opens later; what was given is written all the same as it was.
    block.fill(0);
    source.complete();
    expect(log).toEqual([]);
    await done;
    expect(log).toEqual([2, '|']);
    expect([...(await samplesOf('out.wav'))]).toEqual([0.5, -0.5]);
  });

  it('writes an empty file where it was told the format, and says what is missing where not', async () => {
    const none = from<Float32Array[]>([]);
    await lastValueFrom(none.pipe(toWav(at('out.wav'), { sampleRate: 8000, channels: 1 })));
    expect(await wavInfo(at('out.wav'))).toMatchObject({ frames: 0 });
    await expect(lastValueFrom(none.pipe(toWav(at('none.wav'))))).rejects.toThrow(/withFormat/);
    await expect(lastValueFrom(of(noise(4)).pipe(toWav(at('none.wav'))))).rejects.toThrow(StreamError);
    await expect(
      lastValueFrom(fromWav(at('in.wav')).pipe(toWav(at('none.wav'), { sampleRate: 8000 }))),
    ).rejects.toThrow(/8000 Hz, but this block is 2 channels at 16000 Hz/);
    expect(await listing()).toEqual(['in.wav', 'out.wav']);
  });

  const tagged = (): Observable<Float32Array> =>
    of(noise(1000)).pipe(withFormat({ sampleRate: 8000, channels: 1 }));

  it('leaves nothing behind on an error, and passes it on after that', async () => {
    await writeFile(at('out.wav'), 'was here before');
    const failing = tagged().pipe(concatWith(throwError(() => new Error('gone'))), toWav(at('out.wav')));
    await expect(lastValueFrom(failing)).rejects.toThrow('gone');
    expect(await listing()).toEqual(['in.wav', 'out.wav']);
    expect(String(await readFile(at('out.wav')))).toBe('was here before');
    const refused = fromWav(at('in.wav')).pipe(ssm(integrator(8000), a), toWav(at('new.wav')));
    await expect(lastValueFrom(refused)).rejects.toThrow(GraphError);
    expect(await listing()).toEqual(['in.wav', 'out.wav']);
  });

  it('leaves nothing behind when it is unsubscribed, early or late', async () => {
    for (const wait of [undefined, 0, 20]) {
      const source = new Subject<Float32Array>();
      const subscription = source
        .pipe(withFormat({ sampleRate: 8000, channels: 1 }), toWav(at('out.wav')))
        .subscribe();
      source.next(noise(100_000));
      if (wait !== undefined) await sleep(wait);
      if (wait === 20) await vi.waitFor(async () => expect((await listing()).length).toBe(2));
      subscription.unsubscribe();
      // Long enough for a file that is just being opened to show.
      await sleep(40);
      await vi.waitFor(async () => expect(await listing()).toEqual(['in.wav']));
      expect(source.observed).toBe(false);
    }
  });

  it('leaves nothing behind when it is aborted in the middle', async () => {
    const abort = new AbortController();
    const endless = fromAsyncIterable(
      (async function* () {
        for (let i = 0; ; i++) {
          if (i === 50) abort.abort(new Error('enough'));
          await sleep(0);
          yield noise(2000);
        }
      })(),
    );
    const result = endless.pipe(
      ssm(integrator(), a, { signal: abort.signal, sampleRate: 8000 }),
      toWav(at('out.wav')),
    );
    await expect(lastValueFrom(result)).rejects.toThrow('enough');
    expect(await listing()).toEqual(['in.wav']);
  });

  it('ends with the error of a file that cannot be written', async () => {
    await expect(lastValueFrom(tagged().pipe(toWav(at('no/folder.wav'))))).rejects.toThrow(ArgumentError);
    const early = new Subject<Float32Array>().pipe(
      toWav(at('no/folder.wav'), { sampleRate: 8000, channels: 1 }),
    );
    await expect(lastValueFrom(early)).rejects.toThrow(ArgumentError);
    const fraction = of(noise(4)).pipe(withFormat({ sampleRate: 62.5, channels: 1 }), toWav(at('out.wav')));
    await expect(lastValueFrom(fraction)).rejects.toThrow(/62.5/);
    const broken = of(noise(3)).pipe(toWav(at('out.wav'), { sampleRate: 8000, channels: 2 }));
    await expect(lastValueFrom(broken)).rejects.toThrow(/whole number of frames/);
    expect(await listing()).toEqual(['in.wav']);
  });

  it('bounds what waits when the source cannot be slowed down', async () => {
    const block = noise(1000);
    const flood = from(Array.from({ length: 100 }, () => block));
    const options = { sampleRate: 8000, channels: 1, maxPendingBytes: 50 * block.byteLength };
    await expect(lastValueFrom(flood.pipe(toWav(at('out.wav'), options)))).rejects.toThrow(
      /204000 bytes wait to be written, 200000 may/,
    );
    expect(await listing()).toEqual(['in.wav']);
    // The same through a source that waits, and a clock of its own in front of it.
    const paced = fromAsyncIterable(Array.from({ length: 100 }, () => block));
    expect(
      await lastValueFrom(paced.pipe(toWav(at('out.wav'), { ...options, maxPendingBytes: 1 }))),
    ).toMatchObject({
      frames: 100_000,
    });
    await expect(
      lastValueFrom(paced.pipe(delay(5), toWav(at('late.wav'), { ...options, maxPendingBytes: 1 }))),
    ).rejects.toThrow(StreamError);
  });

  it('copies a file unchanged', async () => {
    await lastValueFrom(fromWav(at('in.wav')).pipe(toWav(at('out.wav'), { encoding: 'float32' })));
    expect(await samplesOf('out.wav')).toEqual(stereo);
    await lastValueFrom(
      fromWav(at('out.wav')).pipe(
        map((block) => block.map((x) => 2 * x)),
        withFormat({ sampleRate: 16_000, channels: 2 }),
        toWav(at('loud.wav'), { encoding: 'float32' }),
      ),
    );
    expect(await samplesOf('loud.wav')).toEqual(stereo.map((x) => 2 * x));
  });
});
