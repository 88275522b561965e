/**
 * What the diagonal scan costs in training on the WebAssembly backend, forward and backward: median nanoseconds a frame
 * of all channels, without and with relaxed SIMD.
 *
 *     node test/bench/scan-training.ts
 */
import { wasmSequences } from '../../src/backends/wasm/index.ts';
import { zoh, zohEuler } from '../../src/discretize/index.ts';
import { scanJob, type ScanCase } from '../contract/diagonal-scan-cases.ts';
import { spread } from './statistics.ts';

const FRAMES = 1024;
const REPEATS = 20;

const still = { complex: true, method: zoh.diagonal, varying: [] } as const;
const cases: readonly ScanCase[] = [
  {
    ...still,
    name: 's4d 64 × 32',
    channels: 64,
    states: 32,
    complexInput: false,
    operands: { a: [64, 32], aIm: [64, 32], c: [64, 32], cIm: [64, 32], dt: [64, 1] },
  },
  {
    ...still,
    name: 's5 64',
    channels: 64,
    states: 1,
    complexInput: true,
    operands: { a: [64, 1], aIm: [64, 1], dt: [64, 1] },
  },
  {
    name: 'mamba 64 × 16',
    channels: 64,
    states: 16,
    complexInput: false,
    complex: false,
    method: zohEuler.diagonal,
    varying: ['dt', 'b', 'c'],
    operands: { a: [64, 16], b: [1, 16], c: [1, 16], dt: [64] },
  },
];

for (const scan of cases) {
  const job = scanJob(scan, { batch: 1, frames: FRAMES, seed: 1 });
  for (const pass of ['forward', 'adjoint'] as const) {
    const cells: string[] = [];
    for (const deterministic of [true, false]) {
      const backend = wasmSequences({ deterministic });
      const dOutput = await backend.forward(job);
      const times: number[] = [];
      for (let i = 0; i < REPEATS; i++) {
        const start = process.hrtime.bigint();
        await (pass === 'forward' ? backend.forward(job) : backend.adjoint(job, dOutput));
        times.push(Number(process.hrtime.bigint() - start) / FRAMES);
      }
      cells.push(spread(times).median.toFixed(0).padStart(10));
    }
    console.log(`${scan.name.padEnd(16)}${pass.padEnd(10)}${cells.join('')}`);
  }
}
