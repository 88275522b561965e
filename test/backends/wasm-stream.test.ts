import { describe, expect, it } from 'vitest';
import { reference } from '../../src/backends/reference/index.ts';
import { wasm } from '../../src/backends/wasm/index.ts';
import { referenceSequences } from '../../src/backends/reference/sequence.ts';
import { zoh } from '../../src/discretize/index.ts';
import { random } from '../../src/init/random.ts';
import { FLUSH_BELOW } from '../../src/ops/diagonal-scan.ts';
import { compile, type Stream } from '../../src/stream/index.ts';
import type { SequenceJob } from '../../src/backends/sequence.ts';
import { scanCases, scanFeed, scanJob, scanModel, type ScanCase } from '../contract/diagonal-scan-cases.ts';
import { expectClose } from '../support/close.ts';

const FRAMES = 300;
const backends = [wasm({ deterministic: true }), wasm()];

type Ports = Readonly<Record<string, Float32Array>>;

/** Frames `from` to `to` of every port. */
const cut = (block: Ports, frames: number, from: number, to: number): Ports =>
  Object.fromEntries(
    Object.entries(block).map(([port, data]) => {
      const width = data.length / frames;
      return [port, data.subarray(from * width, to * width)];
    }),
  );

/** Feeds frames `from` to `to` in chunks of the given sizes, the last size again and again. */
function feed(
  stream: Stream,
  block: Ports,
  frames: number,
  chunks: readonly number[],
  from = 0,
): Float32Array {
  const parts: number[] = [];
  for (let at = from, i = 0; at < frames; i++) {
    const to = Math.min(frames, at + chunks[Math.min(i, chunks.length - 1)]!);
    const piece = cut(block, frames, at, to);
    const ports = Object.keys(piece);
    parts.push(...stream.push(ports.length === 1 ? piece[ports[0]!]! : piece));
    at = to;
  }
  return Float32Array.from(parts);
}

/** One case of each form and layout: folded and general, real and complex, full groups and ragged ones. */
const few = scanCases.filter(({ method }, i) => method.usesPreviousInput !== true && i % 5 === 0);

const steady = (channels: number, states: number): ScanCase => ({
  name: `steady ${channels} × ${states}`,
  channels,
  states,
  complexInput: false,
  complex: true,
  method: zoh.diagonal,
  varying: [],
  operands: {
    a: [channels, states],
    aIm: [channels, states],
    b: [1, states],
    c: [channels, states],
    cIm: [channels, states],
  },
});

describe.each(backends)('$name streams', (backend) => {
  it.each(scanCases)('$name as the reference in float64 does', async (scan) => {
    const job = scanJob(scan, { batch: 1, frames: FRAMES, seed: 1 });
    const { parameters, block } = scanFeed(scan, job);
    const stream = compile(scanModel(scan), parameters, { backend });
    const expected = await referenceSequences.forward(job);
    expectClose(feed(stream, block, FRAMES, [128]), expected, 1e-5);
  });

  it.each(few)('$name: any chunking gives the same bits', (scan) => {
    const { parameters, block } = scanFeed(scan, scanJob(scan, { batch: 1, frames: FRAMES, seed: 2 }));
    const run = (chunks: readonly number[]): Float32Array =>
      feed(compile(scanModel(scan), parameters, { backend }), block, FRAMES, chunks);
    const whole = run([FRAMES]);
    const rng = random(3);
    const ragged = Array.from({ length: FRAMES }, () => 1 + rng.integer(90));
    for (const chunks of [[1], [2], [3], [7], [64], [127], [128], [129], ragged]) {
      expect(run(chunks), `chunks of ${chunks[0]}`).toEqual(whole);
    }
  });

  it.each(few)('$name: snapshot, restore and fork go on bit for bit', (scan) => {
    const { parameters, block } = scanFeed(scan, scanJob(scan, { batch: 1, frames: FRAMES, seed: 4 }));
    const open = (): Stream => compile(scanModel(scan), parameters, { backend });
    const rng = random(5);
    for (let round = 0; round < 3; round++) {
      const at = 1 + rng.integer(FRAMES - 2);
      const stream = open();
      feed(stream, cut(block, FRAMES, 0, at), at, [at]);
      const saved = stream.snapshot();
      const fork = stream.fork();
      const expected = feed(stream, block, FRAMES, [50], at);
      expect(feed(fork, block, FRAMES, [33], at), `fork at ${at}`).toEqual(expected);
      const fresh = open();
      fresh.restore(saved);
      expect(feed(fresh, block, FRAMES, [64], at), `restored at ${at}`).toEqual(expected);
      // A stream that has run meanwhile forgets all of it.
      stream.restore(saved);
      expect(feed(stream, block, FRAMES, [1], at), `rewound to ${at}`).toEqual(expected);
      stream.reset();
      expect(feed(stream, block, FRAMES, [FRAMES])).toEqual(feed(open(), block, FRAMES, [FRAMES]));
    }
  });

  it.each(few)('$name: goes on from a snapshot of the reference, and back', (scan) => {
    const { parameters, block } = scanFeed(scan, scanJob(scan, { batch: 1, frames: FRAMES, seed: 6 }));
    const at = 101;
    const ours = compile(scanModel(scan), parameters, { backend });
    const slow = compile(scanModel(scan), parameters);
    const head = cut(block, FRAMES, 0, at);
    feed(slow, head, at, [at]);
    ours.restore(slow.snapshot());
    const expected = feed(slow, block, FRAMES, [FRAMES], at);
    expectClose(feed(ours, block, FRAMES, [FRAMES], at), expected, 1e-5);
    ours.reset();
    feed(ours, head, at, [at]);
    slow.restore(ours.snapshot());
    expectClose(feed(slow, block, FRAMES, [FRAMES], at), expected, 1e-5);
  });

  it('keeps a mode of an hour where float32 would stall', async () => {
    // Half of the lanes have a time constant of 10^6 frames, the others one of 20; float32 rounds 1 − 10^-6 by 5 %.
    const scan = steady(6, 4);
    const frames = 20_000;
    const job = scanJob(scan, { batch: 1, frames, seed: 7 });
    for (let i = 0; i < 24; i++) {
      job.inputs[1]![i] = i % 2 ? -1e-6 : -0.05;
      job.inputs[2]![i] = i % 2 ? 1e-7 * i : 0.1;
    }
    job.inputs[0]!.fill(1);
    const { parameters, block } = scanFeed(scan, job);
    const expected = await referenceSequences.forward(job);
    const stream = compile(scanModel(scan), parameters, { backend });
    expectClose(feed(stream, block, frames, [4096]), expected, 1e-6);
  });

  // Sizes whose frames pass by fours of groups, by rows and by copies; of the quads of each the first holds real poles,
  // the next ones such as turn slowly, and the last only such as turn fast.
  it.each([
    [16, 12],
    [20, 16],
    [8, 13],
    [5, 24],
    [16, 1],
  ])('poles of any angle, %s × %s', async (channels, states) => {
    const scan = steady(channels, states);
    const job = scanJob(scan, { batch: 1, frames: FRAMES, seed: 12 });
    const slow = [0, 1e-12, -0.0003, 0.0011, 0, 0.002, -0.0012, 0.0013];
    const fast = [0.4, -1.2, 3.1, Math.PI - 1e-9];
    for (let lane = 0; lane < channels * states; lane++) {
      const n = lane % states;
      job.inputs[1]![lane] = [-0.01, -0.3, -2][lane % 3]!;
      job.inputs[2]![lane] = states === 1 ? (lane % 7) * 0.02 : (slow[n] ?? fast[n % 4]!);
    }
    const { parameters, block } = scanFeed(scan, job);
    const open = (precision: 'auto' | 'float32' = 'float32'): Stream =>
      compile(scanModel(scan), parameters, { backend, precision });
    const expected = await referenceSequences.forward(job);
    const whole = feed(open(), block, FRAMES, [FRAMES]);
    expectClose(whole, expected, 1e-5);
    expectClose(feed(open('auto'), block, FRAMES, [FRAMES]), expected, 1e-5);
    for (const chunks of [[1], [2], [5], [6], [8], [9], [1, 3, 5, 7, 20, 2, 66, 4]]) {
      expect(feed(open(), block, FRAMES, chunks), `chunks of ${chunks}`).toEqual(whole);
    }
    const [stream, again] = [open(), open()];
    feed(stream, cut(block, FRAMES, 0, 77), 77, [77]);
    again.restore(stream.snapshot());
    expect(again.snapshot()).toEqual(stream.snapshot());
    expect(feed(again, block, FRAMES, [3], 77)).toEqual(whole.subarray(77 * channels));
  });

  it('a state whose poles stop turning keeps both of its parts', () => {
    const scan = steady(16, 8);
    const { parameters, block } = scanFeed(scan, scanJob(scan, { batch: 1, frames: FRAMES, seed: 13 }));
    const run = (stream: Stream): Float32Array => {
      feed(stream, cut(block, FRAMES, 0, 50), 50, [50]);
      stream.set('aIm', new Float64Array(16 * 8));
      const standing = feed(stream, cut(block, FRAMES, 50, 170), 120, [40]);
      stream.set('aIm', new Float64Array(16 * 8).fill(0.7));
      return Float32Array.from([...standing, ...feed(stream, block, FRAMES, [1], 170)]);
    };
    const expected = run(compile(scanModel(scan), parameters, { backend: reference, precision: 'float64' }));
    expectClose(run(compile(scanModel(scan), parameters, { backend })), expected, 1e-5);
  });

  it('takes an input weight of zero', async () => {
    const scan = steady(4, 6);
    const job = scanJob(scan, { batch: 1, frames: FRAMES, seed: 8 });
    job.inputs[3]![2] = 0;
    const { parameters, block } = scanFeed(scan, job);
    const stream = compile(scanModel(scan), parameters, { backend });
    expectClose(feed(stream, block, FRAMES, [100]), await referenceSequences.forward(job), 1e-5);
    const again = compile(scanModel(scan), parameters, { backend });
    again.restore(stream.snapshot());
    expect(again.snapshot()).toEqual(stream.snapshot());
  });

  it.each([0.02, 0.5, 0.9, 0.99, 0.9999])('reaches exact silence: |Ā| = %s', (size) => {
    for (const contracted of [true, false]) {
      const scan: ScanCase = contracted ? steady(4, 4) : withoutReadOut(steady(4, 4));
      const frames = 256;
      const job = scanJob(scan, { batch: 1, frames, seed: 9 });
      job.inputs[1]!.fill(Math.log(size));
      job.inputs[2]!.fill(0.3);
      const { parameters, block } = scanFeed(scan, job);
      const stream = compile(scanModel(scan), parameters, { backend });
      feed(stream, block, frames, [frames]);
      const silence = new Float32Array(128 * 4);
      const output = new Float32Array(128 * stream.outputChannels);
      // 120 powers of two from the peak, and the rest of a group of 64 frames.
      const blocks = Math.ceil((-120 / Math.log2(size) + 64) / 128) + 1;
      for (let i = 0; i < blocks; i++) {
        stream.process(silence, output);
        // Nothing subnormal may stay from one group of frames to the next.
        const last = output.subarray(-stream.outputChannels);
        if (!contracted) expect(last.every((x) => x === 0 || Math.abs(x) >= FLUSH_BELOW)).toBe(true);
      }
      expect(output.every((y) => y === 0)).toBe(true);
    }
  });

  it('leaves what it has no kernel for to the reference', () => {
    const scan = steady(4, 4);
    const job: SequenceJob = scanJob(scan, { batch: 1, frames: FRAMES, seed: 10 });
    const { parameters, block } = scanFeed(scan, job);
    const run = (options: object): Float32Array =>
      feed(compile(scanModel(scan), parameters, { precision: 'float64', ...options }), block, FRAMES, [64]);
    expect(run({ backend })).toEqual(run({}));
  });

  it('rounds all state to float32 where asked', async () => {
    const scan = steady(4, 4);
    const job = scanJob(scan, { batch: 1, frames: FRAMES, seed: 11 });
    const { parameters, block } = scanFeed(scan, job);
    const stream = compile(scanModel(scan), parameters, { precision: 'float32', backend });
    expectClose(feed(stream, block, FRAMES, [64]), await referenceSequences.forward(job), 1e-5);
  });
});

/** The same scan with the state as its output. */
function withoutReadOut(scan: ScanCase): ScanCase {
  const { c: _c, cIm: _cIm, ...operands } = scan.operands;
  return { ...scan, name: `${scan.name}, state`, operands };
}
