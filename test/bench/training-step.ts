/**
 * What a training step costs on the CPU: forward, loss, adjoints and AdamW of one S4D layer (state-spaces/s4
 * `s4d.py`: d_model 64, d_state 64, GELU, GLU) on 8 × 16,384 frames, with the share of every op; then the same layer on
 * one recording of 2^14 to 2^20 frames: time and memory.
 *
 *     node test/bench/training-step.ts [threads]
 *
 * PyTorch 2.11 takes 3.5 s for the first on one thread of a 2023 Xeon: the pedagogical layer, which materialises its
 * Vandermonde matrix.
 */
import { SequenceProgram } from '../../src/backends/wasm/train/program.ts';
import { random } from '../../src/init/index.ts';
import { initialise, s4d } from '../../src/layers/index.ts';
import { traceModel } from '../../src/signal/index.ts';
import { environmentAt } from '../../src/stream/constants.ts';
import { adamw } from '../../src/train/adamw.ts';
import { ConstantPart } from '../../src/train/cpu/constants.ts';
import { cpu } from '../../src/train/cpu/cpu.ts';
import { mse } from '../../src/train/losses/index.ts';
import type { Batch } from '../../src/train/session.ts';

const FEATURES = 64;
const model = s4d({ features: FEATURES, states: 64 });
const graph = traceModel(model);
const parameters = initialise(model, 1);

function batchOf(items: number, frames: number): Batch {
  const rng = random(frames);
  const noise = (): Float32Array =>
    Float32Array.from({ length: items * frames * FEATURES }, () => rng.uniform(-1, 1));
  const lengths = new Array<number>(items).fill(frames);
  return { items, frames, lengths, inputs: { input: noise() }, targets: { output: noise() } };
}

const milliseconds = (from: bigint): number => Number(process.hrtime.bigint() - from) / 1e6;

const workers = Number(process.argv[2] ?? 1);
const session = await cpu({ workers }).open({ graph, loss: mse(), optimizer: adamw(), parameters });
console.log(session.name);
const batch = batchOf(8, 16_384);
const times: number[] = [];
for (let step = 0; step < 12; step++) {
  const start = process.hrtime.bigint();
  await session.step(batch, { step, rate: 1 });
  times.push(milliseconds(start));
}
console.log(`step of 8 × 16384: ${times.map((time) => time.toFixed(0)).join(', ')} ms`);
await session.close();

/** One sequence forward and back, all of the layer but loss and optimiser; also the gradient of its input. */
function measure(
  frames: number,
  repeats: number,
): { ms: number; bytes: number; clock: Map<string, [number, number]> } {
  const constants = new ConstantPart(graph, environmentAt(graph, undefined), () => true);
  const program = new SequenceProgram(graph, {
    isTrained: ({ id }) => constants.trained.has(id),
    inputGradients: true,
  });
  const values = new Map([...parameters].map(([name, data]) => [name, Float64Array.from(data)]));
  const data = batchOf(1, frames).inputs['input']!;
  const seed = new Float32Array(frames * FEATURES).fill(1e-3);
  let ms = Infinity;
  for (let i = 0; i < repeats; i++) {
    program.clock = new Map();
    const start = process.hrtime.bigint();
    program.load(constants.forward(values));
    program.forward({ input: { data, frames } }, true);
    program.back({ output: seed });
    constants.back(program.finish());
    ms = Math.min(ms, milliseconds(start));
  }
  return { ms, bytes: program.memory.bytes, clock: program.clock! };
}

const { ms, clock } = measure(16_384, 4);
console.log(`\none item of 16384 frames: ${ms.toFixed(1)} ms, of which`);
for (const [name, [forward, back]] of [...clock].sort(([, a], [, b]) => b[0] + b[1] - a[0] - a[1])) {
  console.log(
    `  ${name.padEnd(16)} forward ${(forward / 1e6).toFixed(2)} ms, back ${(back / 1e6).toFixed(2)} ms`,
  );
}

console.log('\nframes       ms    ns/frame    MiB');
for (let power = 14; power <= Number(process.argv[3] ?? 20); power++) {
  const frames = 2 ** power;
  const { ms: time, bytes } = measure(frames, power < 18 ? 3 : 2);
  const cells = [
    `2^${power}`.padEnd(6),
    time.toFixed(1).padStart(8),
    ((1e6 * time) / frames).toFixed(0).padStart(10),
  ];
  console.log(...cells, (bytes / 2 ** 20).toFixed(0).padStart(8));
}
