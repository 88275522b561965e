import { existsSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { inline } from '../../src/backends/gpu/training/inline.ts';
import { random } from '../../src/init/index.ts';
import { deltaNet, initialise } from '../../src/layers/index.ts';
import { sizeOf, traceModel, type Graph, type Layer } from '../../src/signal/index.ts';
import { BackendError } from '../../src/errors.ts';
import { adamw } from '../../src/train/adamw.ts';
import { drawMasks, forTraining } from '../../src/train/for-training.ts';
import { gpuTraining, type GpuTraining } from '../../src/train/gpu/gpu-training.ts';
import type { Loss } from '../../src/train/loss.ts';
import { crossEntropy, esr, l1, mse, siSdr } from '../../src/train/losses/index.ts';
import { referenceTraining } from '../../src/train/reference.ts';
import type { Batch, TrainingJob, TrainingSession } from '../../src/train/session.ts';
import { expectClose } from '../support/close.ts';
import { cases, classifier, FEATURES, FEW } from './gpu-training-cases.ts';

// Debian's chromium brings a Vulkan driver that runs on the processor, for machines without a GPU.
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (process.env['VK_ICD_FILENAMES'] === undefined && existsSync(SWIFTSHADER)) {
  process.env['VK_ICD_FILENAMES'] = SWIFTSHADER;
}

const open = (mode: 'cpu' | 'webasm' | 'webgpu'): Promise<GpuTraining | BackendError> =>
  gpuTraining({ mode }).catch((error: unknown) => {
    if (error instanceof BackendError) return error;
    throw error;
  });
const backends = { cpu: await open('cpu'), webasm: await open('webasm'), webgpu: await open('webgpu') };

const sessions: TrainingSession[] = [];
afterAll(async () => {
  for (const session of sessions) await session.close();
  for (const backend of Object.values(backends)) {
    if (!(backend instanceof BackendError)) await backend.destroy();
  }
});

const optimizer = adamw({ rate: 0.01 });

function jobOf(model: Layer, loss: Loss, graph: Graph = traceModel(model)): TrainingJob {
  return { graph, loss, optimizer, parameters: initialise(model, 3) };
}

/** Noise, and targets that are long enough for any output. */
function batchOf(graph: Graph, lengths: readonly number[], seed: number): Batch {
  const frames = Math.max(...lengths);
  const rng = random(seed);
  const noise = (size: number): Float32Array => Float32Array.from({ length: size }, () => rng.uniform(-1, 1));
  const outputs = sizeOf(graph.outputs.get('output')!.shape);
  return {
    items: lengths.length,
    frames,
    lengths,
    inputs: { input: noise(lengths.length * frames * FEATURES) },
    targets: {
      output: noise(lengths.length * (3 * frames + 8) * outputs),
      labels: Float32Array.from({ length: lengths.length }, (_, i) => i % 3),
    },
  };
}

async function expectGradients(backend: GpuTraining, job: TrainingJob, batch: Batch): Promise<void> {
  const session = await backend.open(job);
  const expected = await (await referenceTraining().open(job)).gradients(batch);
  const found = await session.gradients(batch);
  await session.close();
  expectClose([found.loss], [expected.loss], 1e-5, 'loss');
  for (const [name, values] of expected.parameters)
    expectClose(found.parameters.get(name)!, values, 1e-5, name);
}

describe.each(['cpu', 'webasm', 'webgpu'] as const)('training on gpu.js %s', (mode) => {
  const found = backends[mode];
  if (found instanceof BackendError) {
    test.skip(`not here: ${found.message}`, () => {});
    return;
  }
  const backend = found;
  const session = async (job: TrainingJob): Promise<TrainingSession> => {
    const opened = await backend.open(job);
    sessions.push(opened);
    return opened;
  };

  test('says what runs', async () => {
    expect(backend.mode).toBe(mode);
    expect(backend.name).toContain(`gpu.js ${mode}`);
    expect(backend.adapter).not.toBe('');
    expect((await session(jobOf(cases['s4d']!, mse()))).name).toBe(backend.name);
  });

  const names = Object.keys(cases).filter((name) => mode === 'cpu' || FEW.includes(name));
  test.each(names)('gradients of a batch of mixed lengths are the reference’s: %s', async (name) => {
    const job = jobOf(cases[name]!, mse());
    await expectGradients(backend, job, batchOf(job.graph, [40, 33, 7], 1));
  });

  // Those of diagonal scans run in every mode in `gpu.test.ts`.
  const long = [
    ['a matrix scan that is read before, of shared heads', [150, 149]],
    ['s4d', [1500]],
    ['a complex scan whose step varies', [150, 149]],
  ] as const;
  test.each(long.slice(0, mode === 'cpu' ? 3 : 1))(
    'more chunks than one, and a level of carries above them: %s',
    async (name, lengths) => {
      const job = jobOf(cases[name]!, mse());
      await expectGradients(backend, job, batchOf(job.graph, lengths, 2));
    },
  );

  test.each([
    ['l1', l1()],
    ['esr', esr()],
    ['esr with pre-emphasis', esr({ preEmphasis: 0.9 })],
    ['a loss that only the host has', siSdr()],
  ] as const)('losses: %s', async (_, loss) => {
    const job = jobOf(cases['s4d']!, loss);
    await expectGradients(backend, job, batchOf(job.graph, [20, 33], 3));
  });

  test.each([
    ['of one answer', cases['one answer']!, crossEntropy({ smoothing: 0.1 })],
    ['at the last frame', cases['s4d']!, crossEntropy()],
    ['of the mean over frames', cases['s4d']!, crossEntropy({ at: 'mean' })],
    ['in every frame', cases['s4d']!, crossEntropy({ at: 'frame' })],
  ] as const)('cross-entropy %s', async (name, model, loss) => {
    const job = jobOf(model, loss);
    const batch = batchOf(job.graph, [20, 33], 3);
    const labels = Float32Array.from({ length: 2 * 33 }, (_, i) => (i % 5) - 1);
    const framewise = name === 'in every frame';
    await expectGradients(backend, job, framewise ? { ...batch, targets: { labels } } : batch);
  });

  test('steps end in the reference’s weights, with dropout by sequence and by frame', async () => {
    const model = classifier(0.3);
    const { graph, masks } = forTraining(traceModel(model));
    const job = jobOf(model, crossEntropy(), graph);
    const own = await session(job);
    const expected = await referenceTraining().open(job);
    for (let step = 0; step < 4; step++) {
      const batch = drawMasks(masks, batchOf(graph, [40, 31], step), { seed: 1, step });
      const [a, b] = [
        await own.step(batch, { step, rate: 0.5 }),
        await expected.step(batch, { step, rate: 0.5 }),
      ];
      expectClose([a.loss, a.gradientNorm], [b.loss, b.gradientNorm], 1e-5, `step ${step}`);
    }
    const [state, wanted] = [await own.save(), await expected.save()];
    for (const [name, values] of wanted.parameters)
      expectClose(state.parameters.get(name)!, values, 1e-4, name);
    for (const [name, values] of wanted.moments) expectClose(state.moments.get(name)!, values, 1e-4, name);
  });

  test('what is saved and restored goes on as if nothing had happened, in batches of two shapes', async () => {
    const job = jobOf(cases['s4d']!, mse());
    const [whole, first, second] = [await session(job), await session(job), await session(job)];
    const batch = (step: number): Batch => batchOf(job.graph, step % 2 === 0 ? [24, 20] : [16], step);
    for (let step = 0; step < 5; step++) await whole.step(batch(step), { step, rate: 1 });
    for (let step = 0; step < 3; step++) await first.step(batch(step), { step, rate: 1 });
    await second.restore(await first.save());
    for (let step = 3; step < 5; step++) await second.step(batch(step), { step, rate: 1 });
    expect(await second.save()).toEqual(await whole.save());
  });

  test('a step that goes wrong changes nothing, and the next one is as if it had not been', async () => {
    const job = jobOf(cases['s4d']!, mse());
    const [own, other] = [await session(job), await session(job)];
    const good = batchOf(job.graph, [16], 1);
    const bad = batchOf(job.graph, [16], 2);
    bad.targets['output']!.fill(1e30);
    for (let step = 0; step < 4; step++) {
      const at = { step, rate: 1 };
      expect(Number.isFinite((await own.step(good, at)).loss)).toBe(true);
      expect(Number.isFinite((await own.step(bad, at)).loss)).toBe(false);
      await other.step(good, at);
    }
    expect(await own.save()).toEqual(await other.save());
  });

  test('frozen parameters stay as they are', async () => {
    const frozen = {
      ...optimizer,
      settingsOf: (name: string) => ({ rate: name === 'D' ? 0 : 0.01, decay: 0.1 }),
    };
    const job = { ...jobOf(cases['s4d']!, mse()), optimizer: frozen };
    const own = await session(job);
    for (let step = 0; step < 2; step++) await own.step(batchOf(job.graph, [16], 1), { step, rate: 1 });
    const { parameters } = await own.save();
    expect(parameters.get('D')).toEqual(Float32Array.from(job.parameters.get('D')!));
    expect(parameters.get('kernel.C')).not.toEqual(Float32Array.from(job.parameters.get('kernel.C')!));
  });

  test('evaluation gives the loss of a step, and outputs with zeros behind the ends', async () => {
    const job = jobOf(cases['s4d']!, mse());
    const own = await session(job);
    const batch = batchOf(job.graph, [12, 20], 5);
    const [{ loss, outputs }, step] = [
      await own.evaluate(batch),
      await own.step(batch, { step: 0, rate: 1 }),
    ];
    expect(loss).toBeCloseTo(step.loss, 6);
    const expected = await (await referenceTraining().open(job)).evaluate(batch);
    expectClose(outputs['output']!, expected.outputs['output']!, 1e-5, 'output');
  });
});

describe('refusals', () => {
  const backend = backends.cpu as GpuTraining;

  test('a model with an op that has no kernels is refused by the op’s name', async () => {
    const model = deltaNet({ features: 8, heads: 2 });
    await expect(backend.open(jobOf(model, mse()))).rejects.toThrow(
      /can't train matrix-scan with a delta rule/,
    );
  });

  test.each([
    ['lengths', { lengths: [40, 17] }, /lengths are 40, 17/],
    ['inputs', { inputs: { input: new Float32Array(3) } }, /3 numbers for the input "input"/],
    ['targets', { targets: {} }, /needs the target "output"/],
    ['carried state', { carried: true }, /does not carry state/],
  ] as const)('a batch with wrong %s', async (_, wrong, message) => {
    const job = jobOf(cases['s4d']!, mse());
    const session = await backend.open(job);
    sessions.push(session);
    const batch = { ...batchOf(job.graph, [16, 16], 1), ...wrong } as Batch;
    await expect(session.step(batch, { step: 0, rate: 1 })).rejects.toThrow(message);
  });

  test('a closed session', async () => {
    const session = await backend.open(jobOf(cases['s4d']!, mse()));
    await session.close();
    await expect(session.save()).rejects.toThrow(/is closed/);
  });
});

describe('formulas in place of arrays', () => {
  const array = { id: 0, dims: [4, 9, 2] } as const;
  const doubled = {
    id: 1,
    dims: [4, 9, 2],
    expression: {
      label: '',
      inputs: { x: array },
      text: '2 * x[this.thread.z][this.thread.y][this.thread.x]',
    },
  } as const;

  test('a reading becomes the formula at its indices, and arrays get one name each', () => {
    const { text, inputs } = inline(
      'return y[this.thread.z][k + 1][i] + x[0][0][1];',
      { y: doubled, x: array },
      () => undefined,
    );
    expect(text).toBe('return (2 * v0[this.thread.z][(k + 1)][(i)]) + v0[0][0][1];');
    expect(inputs).toEqual({ v0: array });
  });

  test('indices that read arrays themselves keep their own names', () => {
    const table = { id: 2, dims: [4] } as const;
    const other = { id: 4, dims: [4] } as const;
    const moved = {
      id: 3,
      dims: [4, 9, 2],
      expression: {
        label: '',
        inputs: { t: table, a: doubled },
        text: 'a[this.thread.z][this.thread.y][t[this.thread.x]]',
      },
    } as const;
    const { text } = inline('return a[0][0][b[1]];', { a: moved, b: other }, () => undefined);
    expect(text).toBe('return ((2 * v2[(0)][(0)][(v1[(v0[1])])]));');
  });
});
