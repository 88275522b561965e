import { describe, expect, it } from 'vitest';
import { StreamError } from '../../src/errors.ts';
import { reference } from '../../src/backends/reference/index.ts';
import { wasm } from '../../src/backends/wasm/index.ts';
import { random } from '../../src/init/index.ts';
import { initialise, mamba, s4d, s5 } from '../../src/layers/index.ts';
import * as ops from '../../src/ops/index.ts';
import { defineLayer, sizeOf, type Model } from '../../src/signal/index.ts';
import {
  compile,
  compileBank,
  type BankDiagnostic,
  type Stream,
  type StreamBank,
} from '../../src/stream/index.ts';

/** Look-ahead, a strided and a transposed convolution, a delay beside them: frames are kept at several rates. */
const manyRates = defineLayer({
  name: 'many rates',
  features: 2,
  endPadding: (frames) => (3 - (frames % 3)) % 3,
  apply(t, x) {
    const weight = t.literal([0.5, -0.25, 0.125, 1, 0.75, -0.5, 0.25, 2, 1, -1, 0.5, 0.25], [2, 2, 3]);
    const slow = ops.relu(ops.convolution(x, weight, { stride: 3, padding: { left: 2, right: 0 } }));
    const fast = ops.transposedConvolution(slow, t.literal(new Array(12).fill(0.3), [2, 2, 3]), {
      stride: 3,
    });
    return ops.add(ops.advance(fast, 2), ops.delay(ops.tanh(x), 1));
  },
});

const twoPorts: Model = {
  name: 'mid-side',
  inputs: { left: [1], right: [2] },
  build: (t, { left, right }) => ({
    mid: ops.delay(ops.add(left!, right!), 2),
    side: ops.framesToChannels(
      ops.diagonalScan(left!, { a: t.literal([0.9]), c: t.literal([1]), method: ops.given }),
      4,
    ),
  }),
};

interface Case {
  readonly name: string;
  readonly model: Model;
  readonly options?: { readonly irregular?: boolean };
}

const cases: readonly Case[] = [
  { name: 's4d', model: s4d({ features: 3, states: 8 }) },
  { name: 's5 with a dt a frame', model: s5({ features: 2, states: 8 }), options: { irregular: true } },
  { name: 'mamba', model: mamba({ features: 4 }) },
  { name: 'many rates', model: manyRates },
  { name: 'several ports', model: twoPorts },
];

const backends = [
  { name: 'wasm', backend: wasm() },
  { name: 'reference', backend: reference },
];

type Ports = Record<string, Float32Array>;

/** A batch of frames, and each stream's part of it. */
class Feed {
  readonly #source = random(3);
  readonly #widths: Record<string, number>;

  constructor(model: Model, options: { readonly irregular?: boolean } = {}) {
    this.#widths = Object.fromEntries(
      Object.entries(model.inputs).map(([port, shape]) => [port, sizeOf(shape)]),
    );
    if (options.irregular) this.#widths['dt'] = 1;
  }

  draw(streams: number, frames: number): Ports {
    return Object.fromEntries(
      Object.entries(this.#widths).map(([port, width]) => [
        port,
        Float32Array.from({ length: streams * frames * width }, () =>
          port === 'dt' ? this.#source.uniform(0.5, 2) : this.#source.normal(),
        ),
      ]),
    );
  }

  part(batch: Ports, index: number, frames: number): Ports {
    return Object.fromEntries(
      Object.entries(batch).map(([port, data]) => {
        const size = frames * this.#widths[port]!;
        return [port, data.subarray(index * size, (index + 1) * size)];
      }),
    );
  }
}

const outputsOf = (bank: StreamBank | Stream, model: Model, size: number): Ports =>
  model === twoPorts
    ? { mid: new Float32Array(2 * size), side: new Float32Array(4 * size) }
    : { output: new Float32Array(size * bank.outputChannels) };

describe.each(backends)('a bank on $name', ({ backend }) => {
  describe.each(cases)('of $name', ({ model, options: given = {} }) => {
    const options = { ...given, backend };
    const parameters = initialise(model, 1);

    it('runs each of its streams as a lone one does, bit for bit', () => {
      const feed = new Feed(model, options);
      const bank = compileBank(model, parameters, options);
      const alone = new Map<number, Stream>();
      const source = random(7);
      for (let round = 0; round < 40; round++) {
        // Streams come, go and stay away for a while; one may stand in a batch twice.
        if (alone.size < 12) alone.set(bank.open(), compile(model, parameters, options));
        if (round % 9 === 8) {
          const [id] = [...alone.keys()].slice(source.integer(alone.size));
          bank.close(id!);
          alone.delete(id!);
        }
        if (round % 11 === 10) {
          const [id, stream] = [...alone].slice(source.integer(alone.size))[0]!;
          bank.reset(id);
          stream.reset();
        }
        const open = [...alone.keys()];
        const ids = Array.from(
          { length: 1 + source.integer(2 * open.length) },
          () => open[source.integer(open.length)]!,
        );
        const frames = [1, 1, 2, 5, 64, 300][source.integer(6)]!;
        const batch = feed.draw(ids.length, frames);
        const output = outputsOf(bank, model, ids.length * bank.maxOutput(frames) + 8);
        const written = new Int32Array(ids.length);
        const total = bank.process(ids, batch, output, written);
        const at: Record<string, number> = {};
        ids.forEach((id, i) => {
          const expected = outputsOf(bank, model, bank.maxOutput(frames) + 8);
          const stream = alone.get(id)!;
          const before = stream.framesSeen;
          const came = stream.process(feed.part(batch, i, frames), expected);
          expect(written[i]).toBe(came);
          for (const [port, data] of Object.entries(expected)) {
            const start = at[port] ?? 0;
            // The second port of several ports gives a frame of four for four.
            const numbers =
              port === 'side'
                ? 4 * (Math.floor((before + frames) / 4) - Math.floor(before / 4))
                : (came * data.length) / (bank.maxOutput(frames) + 8);
            expect(
              output[port]!.subarray(start, start + numbers),
              `round ${round}, stream ${id}, ${port}`,
            ).toEqual(data.subarray(0, numbers));
            at[port] = start + numbers;
          }
        });
        for (const [id, stream] of alone) expect(bank.framesSeen(id)).toBe(stream.framesSeen);
        expect(total).toBe(written.reduce((sum, count) => sum + count, 0));
      }
      expect(bank.size).toBe(alone.size);
      for (const [id, stream] of alone) expect(bank.snapshot(id)).toEqual(stream.snapshot());
    });

    it('takes and gives snapshots of lone streams, ends included', () => {
      const feed = new Feed(model, options);
      const bank = compileBank(model, parameters, options);
      const [first, second, other] = [bank.open(), bank.open(), bank.open()];
      const stream = compile(model, parameters, options);
      const start = feed.draw(1, 77);
      stream.process(start, outputsOf(bank, model, 200));
      bank.restore(first, stream.snapshot());
      bank.process([second, other], concat(start, feed.draw(1, 77)), outputsOf(bank, model, 400));
      expect(bank.snapshot(first)).toEqual(bank.snapshot(second));
      const copy = bank.fork(first);
      const batch = feed.draw(1, 50);
      const expected = outputsOf(bank, model, 200);
      stream.process(batch, expected);
      for (const id of [second, copy, first]) {
        const output = outputsOf(bank, model, 200);
        bank.process([id], batch, output);
        expect(output).toEqual(expected);
      }
      const fresh = compile(model, parameters, options);
      fresh.restore(bank.snapshot(first));
      expect(fresh.snapshot()).toEqual(stream.snapshot());

      const ending = outputsOf(bank, model, 400);
      const rest = outputsOf(bank, model, 400);
      expect(bank.end(first, rest)).toBe(stream.end(ending));
      expect(rest).toEqual(ending);
      expect(bank.snapshot(first)).toEqual(stream.snapshot());
      expect(() => bank.process([first], batch, rest)).toThrow(/has ended; reset/);
      // Its neighbours go on, and it begins anew.
      const [a, b] = [outputsOf(bank, model, 200), outputsOf(bank, model, 200)];
      fresh.process(batch, a);
      bank.process([second], batch, b);
      expect(b).toEqual(a);
      bank.reset(first);
      fresh.reset();
      const [c, d] = [outputsOf(bank, model, 200), outputsOf(bank, model, 200)];
      fresh.process(start, c);
      bank.process([first], start, d);
      expect(d).toEqual(c);
      // An end travels, too.
      bank.restore(second, stream.snapshot());
      expect(() => bank.process([second], batch, rest)).toThrow(/has ended/);
      expect(bank.snapshot(second)).toEqual(stream.snapshot());
    });
  });

  it.each(['hold', 'zero', 'reset'] as const)('mends what is not finite by the policy %s', (nonFinite) => {
    const model = s4d({ features: 2, states: 4 });
    const parameters = initialise(model, 1);
    const said: BankDiagnostic[] = [];
    const bank = compileBank(model, parameters, {
      backend,
      nonFinite,
      onDiagnostic: (told) => said.push(told),
    });
    const ids = [bank.open(), bank.open(), bank.open()];
    const alone = ids.map(() => compile(model, parameters, { backend, nonFinite }));
    const feed = new Feed(model);
    for (let round = 0; round < 6; round++) {
      const batch = feed.draw(3, 10)['input']!;
      // The second stream's frame 4, of every other round.
      if (round % 2 === 1) batch[2 * 10 + 2 * 4 + 1] = Number.NaN;
      const output = new Float32Array(3 * 10 * 2);
      bank.process(ids, batch, output);
      alone.forEach((stream, i) => {
        const expected = new Float32Array(20);
        stream.process(batch.subarray(i * 20, (i + 1) * 20), expected);
        expect(output.subarray(i * 20, (i + 1) * 20)).toEqual(expected);
      });
    }
    expect(said).toHaveLength(3);
    expect(said[1]).toMatchObject({ stream: ids[1], frame: 34, channel: 1, action: nonFinite });
    ids.forEach((id, i) => expect(bank.snapshot(id)).toEqual(alone[i]!.snapshot()));
  });

  it('refuses what does not fit, and no stream has consumed anything then', () => {
    const model = s5({ features: 1, states: 4 });
    const bank = compileBank(model, initialise(model, 1), { backend, irregular: true });
    const ids = [bank.open(), bank.open()];
    const before = ids.map((id) => bank.snapshot(id));
    const output = new Float32Array(4);
    const take = (input: number[], dt: number[], streams: number[] = ids, room = output): number =>
      bank.process(streams, { input: Float32Array.from(input), dt: Float32Array.from(dt) }, room);
    expect(() => take([1, 2, 3], [1, 1, 1])).toThrow(
      /3 values, which is no whole number of frames of 1 channels for each of 2/,
    );
    expect(() => take([1, 2], [1, 1, 1, 1])).toThrow(/"dt" has 2 frames a stream, "input" has 1/);
    expect(() => take([1, Number.NaN], [1, 1])).toThrow(/"input" of stream 1 is NaN at frame 0, channel 0/);
    expect(() => take([1, 2], [1, -1])).toThrow(/"dt" of stream 1 is -1 at frame 0: time runs backwards/);
    expect(() => take([1, 2], [1, 1], [0, 7])).toThrow(/stream 7 of this bank of s5 is not open/);
    expect(() => take([1, 2], [1, 1], ids, new Float32Array(1))).toThrow(/room for 1 frames, but 2 of 1/);
    expect(() => bank.process(ids, new Float32Array(2), output)).toThrow(StreamError);
    expect(ids.map((id) => bank.snapshot(id))).toEqual(before);
    bank.close(ids[1]!);
    expect(() => bank.snapshot(ids[1]!)).toThrow(/not open/);
    expect(bank.open()).toBe(ids[1]);
  });
});

it('grows to many streams while they run, and each stays what it was', () => {
  const model = s4d({ features: 1, states: 64 });
  const parameters = initialise(model, 2);
  const bank = compileBank(model, parameters);
  expect(bank.bytesPerStream).toBeLessThan(64 * 2 * 4 + 1024);
  const streams = 20_000;
  const early = bank.open();
  const alone = compile(model, parameters);
  const output = new Float32Array(streams);
  const expected = new Float32Array(1);
  const one = Float32Array.of(1);
  const check = (): void => {
    bank.process([early], one, output);
    alone.process(one, expected);
    expect(output[0]).toBe(expected[0]);
  };
  check();
  const ids = Int32Array.from({ length: streams }, () => bank.open());
  check();
  // One call for all, more than the backend takes at once; stream i hears i.
  for (let k = 0; k < 3; k++) bank.process(ids, Float32Array.from(ids), output);
  for (const i of [0, 1, 4095, 4096, streams - 1]) {
    const own = compile(model, parameters);
    own.push(Float32Array.of(ids[i]!, ids[i]!));
    expect(output[i]).toBe(own.push(Float32Array.of(ids[i]!))[0]);
  }
  check();
});

function concat(a: Ports, b: Ports): Ports {
  return Object.fromEntries(
    Object.entries(a).map(([port, data]) => [port, Float32Array.of(...data, ...b[port]!)]),
  );
}
