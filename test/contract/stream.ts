import { describe, expect, it } from 'vitest';
import { random } from '../../src/init/index.ts';
import { sizeOf, type FloatArray, type Model } from '../../src/signal/index.ts';
import { compile, type CompileOptions, type Parameters, type Stream } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';

export interface StreamCase {
  readonly name: string;
  readonly model: Model;
  readonly parameters: Parameters;
  readonly options?: CompileOptions;
  /** Frames of input; enough to cross the runtime's passes a few times. */
  readonly frames?: number;
  /** Largest allowed distance to the float64 evaluation, relative to its peak; 1e-5 unless said otherwise. */
  readonly tolerance?: number;
  /** Makes the input of a port; standard normal by default. */
  readonly input?: (port: string, frames: number, width: number) => Float32Array;
}

export const CHUNKS = [1, 2, 3, 7, 64, 127, 128, 129, 480, 1024] as const;

type Inputs = Record<string, Float32Array>;

/** Cuts all ports alike. */
const cut = (inputs: Inputs, widths: Record<string, number>, from: number, to: number): Inputs =>
  Object.fromEntries(
    Object.entries(inputs).map(([port, data]) => [
      port,
      data.subarray(from * widths[port]!, to * widths[port]!),
    ]),
  );

/** Sizes that add up to `frames`: all of one size, or ragged ones. */
export function* chunkSizes(frames: number, size: number | 'random', seed = 1): Generator<number> {
  const source = random(seed);
  for (let left = frames; left > 0;) {
    const next = Math.min(left, size === 'random' ? Math.floor(source.uniform(0, 200)) : size);
    yield next;
    left -= next;
  }
}

const join = (parts: readonly FloatArray[]): Float64Array => {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

export const peakOf = (data: ArrayLike<number>): number => {
  let peak = 0;
  for (let i = 0; i < data.length; i++) peak = Math.max(peak, Math.abs(data[i]!));
  return peak;
};

/** The largest difference, relative to the peak of `expected`. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    worst = Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
  }
  return worst / Math.max(peakOf(expected), Number.MIN_VALUE);
}

/**
 * What every model owes on a stream, whatever it is made of and wherever it runs: any chunking gives the same
 * bits, the end is flushed, state can be saved, restored and forked at any frame, streams share nothing, the
 * declared latency is the true one, and the float64 evaluation of the whole sequence agrees.
 */
export function verifyStream(test: StreamCase): void {
  const { name, model, parameters, options = {}, frames = 1100, tolerance = 1e-5 } = test;
  const widths = Object.fromEntries(
    Object.entries(model.inputs).map(([port, shape]) => [port, sizeOf(shape)]),
  );
  if (options.irregular === true) widths['dt'] = 1;
  const makeInputs = (count: number, seed: number): Inputs => {
    const source = random(seed);
    const normal = (width: number): Float32Array =>
      Float32Array.from({ length: count * width }, () => source.normal());
    const between = (width: number): Float32Array =>
      Float32Array.from({ length: count * width }, () => source.uniform(0.5, 2));
    return Object.fromEntries(
      Object.entries(widths).map(([port, width]) => [
        port,
        test.input?.(port, count, width) ?? (port === 'dt' ? between(width) : normal(width)),
      ]),
    );
  };
  const open = (): Stream => compile(model, parameters, options);
  const inputs = makeInputs(frames, 5);
  const run = (
    stream: Stream,
    from: number,
    to: number,
    size: number | 'random',
    seed?: number,
  ): FloatArray[] => {
    const parts: FloatArray[] = [];
    for (const count of chunkSizes(to - from, size, seed)) {
      parts.push(stream.push(cut(inputs, widths, from, from + count)));
      from += count;
    }
    return parts;
  };

  describe(`${name}: stream contract`, () => {
    const whole = open();
    const expected = join([whole.push(inputs), whole.flush()]);

    it.each([...CHUNKS, 'random'] as const)('chunks of %s give the bits of the whole', (size) => {
      const stream = open();
      const parts = run(stream, 0, frames, size);
      const saved = stream.snapshot();
      const oneGo = open();
      oneGo.push(inputs);
      expect(Buffer.compare(saved, oneGo.snapshot()), 'state differs').toBe(0);
      expect(join([...parts, stream.flush()])).toEqual(expected);
    });

    it('agrees with the float64 evaluation, ends included', () => {
      const { output } = evaluate(model, parameters, inputs, {
        sampleRate: options.sampleRate,
        irregular: options.irregular,
      });
      expect(peakOf(expected)).toBeGreaterThan(0);
      expect(relativeError(expected, output!)).toBeLessThanOrEqual(tolerance);
    });

    it('restores at random frames, bit for bit', () => {
      const source = random(11);
      for (let i = 0; i < 12; i++) {
        const at = source.integer(frames);
        const first = open();
        const head = run(first, 0, at, 'random', i);
        const second = open();
        // Whatever the second stream did before must not show.
        second.push(cut(inputs, widths, 0, source.integer(50)));
        second.restore(first.snapshot());
        expect(second.framesSeen).toBe(at);
        const tail = run(second, at, frames, 'random', i + 100);
        expect(join([...head, ...tail, second.flush()])).toEqual(expected);
      }
    });

    it('forks at a random frame into two streams that share nothing', () => {
      const at = random(12).integer(frames);
      const stream = open();
      const head = run(stream, 0, at, 'random');
      const fork = stream.fork();
      // The original goes elsewhere first.
      stream.push(makeInputs(300, 77));
      const tail = run(fork, at, frames, 'random', 3);
      expect(join([...head, ...tail, fork.flush()])).toEqual(expected);
    });

    it('two streams side by side do not see each other', () => {
      const [a, b] = [open(), open()];
      const other = makeInputs(frames, 99);
      const parts: FloatArray[] = [];
      for (let k = 0; k < frames; k += 50) {
        parts.push(a.push(cut(inputs, widths, k, Math.min(frames, k + 50))));
        b.push(cut(other, widths, k, Math.min(frames, k + 50)));
      }
      expect(join([...parts, a.flush()])).toEqual(expected);
    });

    it('starts anew after reset', () => {
      const stream = open();
      stream.push(makeInputs(333, 4));
      stream.reset();
      expect(join([stream.push(inputs), stream.flush()])).toEqual(expected);
    });

    it('withholds what look-ahead needs and no more', () => {
      const latency = open().latency;
      const count = Math.min(frames, 3 * latency + 64);
      const short = cut(inputs, widths, 0, count);
      const evaluated = (data: Inputs): Float64Array =>
        evaluate(model, parameters, data, { sampleRate: options.sampleRate, irregular: options.irregular })[
          'output'
        ]!;
      const base = evaluated(short);
      const stream = open();
      const { outputChannels: channels, outputRate: rate } = stream;
      let measured = 0;
      const port = Object.keys(model.inputs)[0]!;
      for (let j = latency; j < Math.min(count, 2 * latency + 48); j++) {
        const data = Float32Array.from(short[port]!);
        // Another of the values that occur, so that whole numbers stay in their table.
        for (let c = 0; c < widths[port]!; c++) {
          const i = j * widths[port]! + c;
          data[i] = data.find((value) => value !== data[i])!;
        }
        const changed = evaluated({ ...short, [port]: data });
        const first = changed.findIndex((value, i) => value !== base[i]);
        if (first >= 0)
          measured = Math.max(measured, j - Math.floor(Math.floor(first / channels) / rate + 1e-9));
      }
      if (rate === 0) {
        expect(stream.push(inputs), 'one value a sequence comes at the end').toHaveLength(0);
        return;
      }
      expect(measured).toBe(latency);
      // What came out after n frames is just what the schedule says can be known by then.
      let emitted = 0;
      for (let k = 0; k < count; k++) {
        emitted += stream.push(cut(short, widths, k, k + 1)).length / channels;
        const due = Math.floor((k + 1 - latency) * rate + 1e-9);
        expect(emitted).toBeGreaterThanOrEqual(Math.max(0, due));
        expect(emitted).toBeLessThanOrEqual(stream.maxOutput(k + 1));
      }
    });
  });
}
