/**
 * What the diagonal scan costs on the WebAssembly backend: median nanoseconds a sample (a frame of all channels).
 *
 *     node test/bench/diagonal-scan.ts
 */
import { zoh, zohEuler } from '../../src/discretize/index.ts';
import { random } from '../../src/init/random.ts';
import type { SequenceJob } from '../../src/backends/sequence.ts';
import { wasm, wasmSequences } from '../../src/backends/wasm/index.ts';
import { compile } from '../../src/stream/index.ts';
import type { Shape } from '../../src/signal/index.ts';
import type { ScanRole } from '../../src/ops/diagonal-scan.ts';
import { scanFeed, scanJob, scanModel, type ScanCase } from '../contract/diagonal-scan-cases.ts';

const shapes = (
  name: string,
  channels: number,
  states: number,
  rest: Omit<ScanCase, 'name' | 'channels' | 'states'>,
): ScanCase => ({
  name: `${name} ${channels} × ${states}`,
  channels,
  states,
  ...rest,
});

const diagonal = (h: number, n: number): Partial<Record<ScanRole, Shape>> => ({
  a: [h, n],
  aIm: [h, n],
  c: [h, n],
  cIm: [h, n],
  dt: [h, 1],
});

const s4d = (h: number, n: number): ScanCase =>
  shapes('s4d', h, n, {
    complexInput: false,
    complex: true,
    method: zoh.diagonal,
    varying: [],
    operands: diagonal(h, n),
  });
const s5 = (n: number): ScanCase =>
  shapes('s5', n, 1, {
    complexInput: true,
    complex: true,
    method: zoh.diagonal,
    varying: [],
    operands: { a: [n, 1], aIm: [n, 1], dt: [n, 1] },
  });
const mamba = (h: number, n: number): ScanCase =>
  shapes('mamba', h, n, {
    complexInput: false,
    complex: false,
    method: zohEuler.diagonal,
    varying: ['dt', 'b', 'c'],
    operands: { a: [h, n], b: [1, n], c: [1, n], dt: [h] },
  });

/** A job with modes of 10 to 500 frames, none of which `auto` keeps in float64. */
function quick(scan: ScanCase, frames: number): SequenceJob {
  const job = scanJob(scan, { batch: 1, frames, seed: 1 });
  const rng = random(2);
  const dt = job.inputs.at(-1)!;
  for (let i = 0; i < dt.length; i++) dt[i] = rng.uniform(0.01, 0.03);
  return job;
}

/** Median over `repeats` of the time of `run`, in ns a frame. */
function time(frames: number, repeats: number, run: () => void): number {
  const all: number[] = [];
  // The engine optimises WebAssembly in the background: let it.
  if (repeats > 10) for (const end = Date.now() + 300; Date.now() < end;) run();
  for (let i = 0; i < repeats; i++) {
    const start = process.hrtime.bigint();
    run();
    all.push(Number(process.hrtime.bigint() - start) / frames);
  }
  return all.sort((a, b) => a - b)[Math.floor(repeats / 2)]!;
}

const FRAMES = 1024;
const row = (cells: readonly (string | number)[]): void => {
  const text = cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(0) : cell));
  console.log(text.map((cell, i) => (i === 0 ? cell.padEnd(18) : cell.padStart(16))).join(''));
};

row(['stream', 'block', 'wasm-simd', 'relaxed', 'reference']);
for (const scan of [s4d(64, 32), s4d(1, 64), s5(64), mamba(64, 16)]) {
  for (const size of [128, 1]) {
    const { parameters, block } = scanFeed(scan, quick(scan, FRAMES));
    const ports = Object.entries(block);
    const cells = [wasm({ deterministic: true }), wasm(), undefined].map((backend) => {
      const stream = compile(scanModel(scan), parameters, { backend });
      const output = new Float32Array(size * stream.outputChannels);
      const feeds = Array.from({ length: FRAMES / size }, (_, i) => {
        const parts = Object.fromEntries(
          ports.map(([port, data]) => {
            const width = (size * data.length) / FRAMES;
            return [port, data.subarray(i * width, (i + 1) * width)];
          }),
        );
        return ports.length === 1 ? parts['u']! : parts;
      });
      return time(FRAMES, backend ? 60 : 4, () => {
        for (const feed of feeds) stream.process(feed, output);
      });
    });
    row([scan.name, `${size}`, ...cells]);
  }
}

row(['', '', '', '', '']);
row(['training', 'pass', 'wasm-simd', 'relaxed', '']);
for (const scan of [s4d(64, 32), s5(64), mamba(64, 16)]) {
  const job = quick(scan, FRAMES);
  for (const pass of ['forward', 'adjoint'] as const) {
    const cells: number[] = [];
    for (const deterministic of [true, false]) {
      const backend = wasmSequences({ deterministic });
      const dOutput = await backend.forward(job);
      const all: number[] = [];
      for (let i = 0; i < 20; i++) {
        const start = process.hrtime.bigint();
        await (pass === 'forward' ? backend.forward(job) : backend.adjoint(job, dOutput));
        all.push(Number(process.hrtime.bigint() - start) / FRAMES);
      }
      cells.push(all.sort((a, b) => a - b)[10]!);
    }
    row([scan.name, pass, ...cells]);
  }
}

// A burst, then silence: what a frame costs while the state decays to nothing; the slowest block, each the best of rounds, since other
// processes only ever add; of slow modes, which would stay subnormal for a hundred blocks, the slowest run of five.
row(['', '', '']);
row(['silence', 'driven', 'worst block']);
for (const size of [0.5, 0.9, 0.99, 0.999, 0.9999]) {
  const scan = s4d(64, 32);
  const { parameters } = scanFeed(scan, quick(scan, FRAMES));
  parameters['dt']!.fill(-Math.log(size));
  parameters['a']!.fill(-1);
  const stream = compile(scanModel(scan), parameters, { backend: wasm() });
  const input = new Float32Array(128 * 64).fill(0.5);
  const silence = new Float32Array(input.length);
  const output = new Float32Array(input.length);
  const driven = time(128, 100, () => stream.process(input, output));
  // 2⁻¹²⁶ is 88 time constants away; one block more is silent.
  const blocks = Math.ceil(88 / -Math.log(size) / 128) + 1;
  const rounds = Math.max(3, Math.floor(60 / blocks));
  const costs: number[][] = [];
  for (let round = 0; round < rounds; round++) {
    stream.process(input, output);
    for (let i = 0; i < blocks; i++) {
      (costs[i] ??= []).push(time(128, 1, () => stream.process(silence, output)));
    }
  }
  const best = costs.map((all) => Math.min(...all));
  const span = blocks > 100 ? 5 : 1;
  const runs = best.map((_, i) => best.slice(i, i + span).sort((x, y) => x - y)[Math.floor(span / 2)] ?? 0);
  row([`|Ā| = ${size}`, driven, Math.max(...runs)]);
}
