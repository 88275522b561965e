/**
 * Steps of training on a GPU, timed, with the share of each kernel, and gradients held to the reference's.
 *
 *     node scripts/device/gpu-training.ts [--mode webgpu] [--only s4d,mamba,mnist] [--items 8] [--frames 16384] [--out report.json]
 *
 * A step is a whole one: batch up, forward, loss, adjoints, clipping, AdamW, loss down.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { random } from '../../src/init/index.ts';
import { initialise, mamba, s4d } from '../../src/layers/index.ts';
import { linear } from '../../src/layers/linear.ts';
import { layerNorm } from '../../src/layers/norm.ts';
import { add, last, runningMean } from '../../src/ops/index.ts';
import { defineLayer, traceModel, type Layer } from '../../src/signal/index.ts';
import { adamw } from '../../src/train/adamw.ts';
import { gpuTraining } from '../../src/train/gpu/gpu-training.ts';
import type { Loss } from '../../src/train/loss.ts';
import { crossEntropy, mse } from '../../src/train/losses/index.ts';
import { referenceTraining } from '../../src/train/reference.ts';
import type { Batch, TrainingJob } from '../../src/train/session.ts';

const { values: options } = parseArgs({
  options: {
    mode: { type: 'string', default: 'webgpu' },
    only: { type: 'string', default: 's4d,mamba,mnist' },
    items: { type: 'string', default: '8' },
    frames: { type: 'string', default: '16384' },
    steps: { type: 'string', default: '20' },
    width: { type: 'string', default: '64' },
    out: { type: 'string' },
  },
});
const [ITEMS, FRAMES, STEPS, WIDTH] = [options.items, options.frames, options.steps, options.width].map(
  Number,
) as [number, number, number, number];

interface Contest {
  readonly model: Layer;
  readonly loss: Loss;
  readonly items: number;
  readonly frames: number;
  readonly target: (items: number, frames: number) => Record<string, Float32Array>;
}

const rng = random(1);
const noise = (size: number): Float32Array => Float32Array.from({ length: size }, () => rng.uniform(-1, 1));

/** One channel up to the layer's width and down again, as around any layer: what travels is a recording. */
const around = (layer: Layer, width: number): Layer =>
  defineLayer({
    name: `around ${layer.name}`,
    features: 1,
    apply: (trace, x) =>
      linear(trace, layer.apply(trace.scope('layer'), linear(trace, x, { name: 'up', outputs: width })), {
        name: 'down',
        outputs: 1,
      }),
  });

const classifier = (width: number, layers: number): Layer =>
  defineLayer({
    name: 'classifier',
    features: 1,
    apply(trace, x) {
      let y = linear(trace, x, { name: 'encoder', outputs: width });
      for (let i = 0; i < layers; i++) {
        const scope = trace.scope(`layers.${i}`);
        const layer = s4d({ features: width, states: 64 });
        y = add(y, layer.apply(scope.scope('s4d'), layerNorm(scope, y, 'norm')));
      }
      const pooled = last(runningMean(layerNorm(trace, y, 'norm')));
      return linear(trace, pooled, { name: 'decoder', outputs: 10 });
    },
  });

const signals = (items: number, frames: number): Record<string, Float32Array> => ({
  output: noise(items * frames),
});

const contests: Readonly<Record<string, () => Contest>> = {
  s4d: () => ({
    model: around(s4d({ features: WIDTH, states: 64 }), WIDTH),
    loss: mse(),
    items: ITEMS,
    frames: FRAMES,
    target: signals,
  }),
  mamba: () => ({
    model: around(mamba({ features: WIDTH, states: 16 }), WIDTH),
    loss: mse(),
    items: ITEMS,
    frames: FRAMES,
    target: signals,
  }),
  mnist: () => ({
    model: classifier(2 * WIDTH, 4),
    loss: crossEntropy(),
    items: 8 * ITEMS,
    frames: Math.min(784, FRAMES),
    target: (items) => ({ labels: Float32Array.from({ length: items }, (_, i) => i % 10) }),
  }),
};

const backend = await gpuTraining({ mode: options.mode as 'webgpu' });
console.log(`runs on ${backend.name}`);
const report: Record<string, unknown> = { backend: backend.name };
for (const name of options.only.split(',')) {
  const contest = contests[name]!();
  report[name] = await run(name, contest);
  if (options.out) writeFileSync(options.out, JSON.stringify(report, null, 1));
}
await backend.destroy();

async function run(name: string, { model, loss, items, frames, target }: Contest): Promise<unknown> {
  const parameters = initialise(model, 1);
  const job: TrainingJob = { graph: traceModel(model), loss, optimizer: adamw({ rate: 1e-3 }), parameters };
  const batchOf = (count: number, length: number): Batch => ({
    items: count,
    frames: length,
    lengths: Array.from({ length: count }, (_, i) => (i === 0 ? length : Math.ceil(length * 0.8))),
    inputs: { input: noise(count * length) },
    targets: target(count, length),
  });

  // Gradients of a small batch of mixed lengths, against the reference's.
  const session = await backend.open(job);
  const small = batchOf(2, Math.min(frames, 300));
  const expected = await (await referenceTraining().open(job)).gradients(small);
  const found = await session.gradients(small);
  let error = 0;
  for (const [parameter, values] of expected.parameters) {
    const own = found.parameters.get(parameter)!;
    let [peak, worst] = [0, 0];
    values.forEach((value, i) => {
      peak = Math.max(peak, Math.abs(value));
      worst = Math.max(worst, Math.abs(value - own[i]!));
    });
    if (worst / peak > error) error = worst / peak;
    if (worst / peak > 1e-4) console.log(`  ${name} ${parameter}: ${(worst / peak).toExponential(1)}`);
  }
  console.log(`${name}: gradients within ${error.toExponential(1)} of the reference's`);

  const batch = { ...batchOf(items, frames), lengths: Array.from({ length: items }, () => frames) };
  const times: number[] = [];
  const compiling = performance.now();
  let loss0 = 0;
  for (let step = 0; step < STEPS + 3; step++) {
    const before = performance.now();
    const result = await session.step(batch, { step, rate: 1 });
    if (step === 0) {
      loss0 = result.loss;
      console.log(`${name}: first step ${((performance.now() - compiling) / 1000).toFixed(1)} s`);
    }
    if (step >= 3) times.push(performance.now() - before);
    if (step === STEPS + 2) console.log(`${name}: loss ${loss0} to ${result.loss}`);
  }
  times.sort((a, b) => a - b);
  const median = times[times.length >> 1]!;
  console.log(
    `${name}: ${items} × ${frames} frames, a step ${median.toFixed(2)} ms (median of ${times.length}; ` +
      `${times[0]!.toFixed(2)} to ${times.at(-1)!.toFixed(2)})`,
  );
  let shares: [string, number][] = [];
  let kernels = 0;
  if (backend.mode === 'webgpu') {
    const profile = await session.profile(batch, 5);
    kernels = profile.length;
    const sums = new Map<string, number>();
    for (const { label, ms } of profile) sums.set(label, (sums.get(label) ?? 0) + ms);
    shares = [...sums].sort((a, b) => b[1] - a[1]);
    const total = shares.reduce((sum, [, ms]) => sum + ms, 0);
    console.log(`${name}: ${kernels} kernels, ${total.toFixed(2)} ms by themselves`);
    for (const [label, ms] of shares.slice(0, 24)) {
      console.log(
        `  ${ms.toFixed(3).padStart(8)} ms ${((100 * ms) / total).toFixed(1).padStart(5)} %  ${label}`,
      );
    }
  }
  await session.close();
  return { items, frames, error, median, times, kernels, shares };
}
