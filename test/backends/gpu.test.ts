import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { afterAll, describe, expect, test } from 'vitest';
import { gpu, type GpuBackend } from '../../src/backends/gpu/index.ts';
import type { GpuJs, GpuMode } from '../../src/backends/gpu/open-device.ts';
import { openTrainingDevice, Plan } from '../../src/backends/gpu/training/index.ts';
import { DevicePipeline } from '../../src/backends/gpu/training/pipeline.ts';
import { referenceSequences } from '../../src/backends/reference/sequence.ts';
import type { SequenceJob } from '../../src/backends/sequence.ts';
import { zoh } from '../../src/discretize/index.ts';
import { BackendError } from '../../src/errors.ts';
import { normalCdf, sigmoid, softplus } from '../../src/math/scalar.ts';
import { scanCases, scanJob, type ScanCase } from '../contract/diagonal-scan-cases.ts';
import { verifySequences } from '../contract/sequences.ts';

// Debian's chromium brings a Vulkan driver that runs on the processor, for machines without a GPU.
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (process.env['VK_ICD_FILENAMES'] === undefined && existsSync(SWIFTSHADER)) {
  process.env['VK_ICD_FILENAMES'] = SWIFTSHADER;
}

const open = (mode: GpuMode): Promise<GpuBackend | BackendError> =>
  gpu({ mode }).catch((error: unknown) => {
    if (error instanceof BackendError) return error;
    throw error;
  });

const backends: Readonly<Record<GpuMode, GpuBackend | BackendError>> = {
  cpu: await open('cpu'),
  webasm: await open('webasm'),
  webgpu: await open('webgpu'),
};

const supported = scanCases.filter(({ method }) => method.usesPreviousInput !== true);

/** Methods whose coefficients are the same text, but for a number. */
const textOf = ({ method: { family } }: ScanCase): string =>
  family.kind === 'rational'
    ? `rational, ${family.alpha === 0 ? 'explicit' : 'implicit'}`
    : JSON.stringify(family);

/** Cases of which each shows a pair that none before it showed. */
function covering(cases: readonly ScanCase[], pairsOf: (scan: ScanCase) => readonly string[]): ScanCase[] {
  const seen = new Set<string>();
  return cases.filter((scan) => {
    const before = seen.size;
    for (const pair of pairsOf(scan)) seen.add(pair);
    return seen.size > before;
  });
}

const formOf = ({ name }: ScanCase): string => name.split(', ').slice(0, -2).join(', ');

/**
 * A method enters kernels as the text of coefficients, real or complex, in tables or by frame; operands enter by the form.
 * So: every such text, every form, every method and every size in a scan that stands still and in one that varies.
 */
const many = covering(supported, (scan) => {
  const varies = scan.varying.length > 0 ? 'varies' : 'still';
  return [
    `${textOf(scan)}, ${scan.complex}, ${varies}`,
    formOf(scan),
    `${scan.method.name}, ${varies}`,
    `${scan.channels} × ${scan.states}, ${varies}`,
  ];
});

/** Every form and every method once: compiling shaders for all of the cases takes a minute. */
const forms = [...new Set(supported.map(formOf))];
const methods = [...new Set(supported.map(({ method }) => method.name))];
const few = forms.map((form, i) => {
  const method = methods[i % methods.length];
  return supported.find((scan) => formOf(scan) === form && scan.method.name === method)!;
});

/** Where compiling costs most: every text of coefficients, real and complex, in tables and by frame, with and without a read-out. */
const fewest = covering(few, (scan) => [
  textOf(scan),
  `${scan.complex}, ${scan.varying.length > 0}`,
  `${'c' in scan.operands}`,
  `${scan.complexInput}`,
]);
const shown = { cpu: many, webasm: few, webgpu: fewest } as const;

/** Below a chunk, whole chunks, a ragged last chunk, several levels of the tree. */
const SIZES = [
  { batch: 1, frames: 5 },
  { batch: 2, frames: 75 },
  { batch: 1, frames: 128 },
  { batch: 3, frames: 37 },
  { batch: 1, frames: 67 },
] as const;

/** Where every kernel costs: chunks and their tree are left to the tests of more than 1000 frames. */
const SHORT = [
  { batch: 1, frames: 37 },
  { batch: 3, frames: 21 },
] as const;

const jobOf = (
  scan: ScanCase,
  i: number,
  sizes: readonly (typeof SIZES | typeof SHORT)[number][],
): SequenceJob => scanJob(scan, { ...sizes[i % sizes.length]!, seed: 7 });

afterAll(async () => {
  for (const backend of Object.values(backends)) {
    if (!(backend instanceof BackendError)) await backend.destroy();
  }
});

describe.each(['cpu', 'webasm', 'webgpu'] as const)('gpu.js %s', (mode) => {
  const found = backends[mode];
  if (found instanceof BackendError) {
    test.skip(`not here: ${found.message}`, () => {});
    return;
  }
  const backend = found;

  test('says what runs', () => {
    expect(backend.name).toBe(`gpu.js ${mode}`);
    expect(backend.mode).toBe(mode);
    expect(backend.adapter).not.toBe('');
    expect(backend.note).toBe('');
  });

  test.each(shown[mode].map((scan, i) => [scan.name, scan, i] as const))('%s', (_, scan, i) =>
    verifySequences(backend, jobOf(scan, i, mode === 'cpu' ? SIZES : SHORT)),
  );

  const scan = (name: string): ScanCase => scanCases.find((one) => one.name.startsWith(name))!;

  const long = ['s4d, zoh', 'mamba, zoh', ...(mode === 'cpu' ? ['complex state, zoh'] : [])];
  test.each(long)('more than 1000 frames: %s', (name) =>
    verifySequences(backend, scanJob(scan(name), { batch: 1, frames: 1500, seed: 5 })),
  );

  test('a loop of more than 1000 turns: 1100 channels share a step that varies', () =>
    verifySequences(
      backend,
      scanJob(
        {
          name: 'wide',
          channels: 1100,
          states: 1,
          complexInput: false,
          complex: false,
          method: zoh.diagonal,
          varying: ['dt'],
          operands: { a: [1100, 1], dt: [1] },
        },
        { batch: 1, frames: 3, seed: 1 },
      ),
    ));

  test.each([[[]], [['dt']]] as const)(
    'time constants of 1e3 to 1e6 frames, with %j by frame',
    async (varying) => {
      const job = scanJob(
        {
          name: 'slow',
          channels: 4,
          states: 1,
          complexInput: false,
          complex: false,
          method: zoh.diagonal,
          varying,
          operands: { a: [4, 1], dt: [1] },
        },
        { batch: 1, frames: 2000, seed: 2 },
      );
      const [u, , dt] = job.inputs;
      const slow = Float32Array.of(-1, -0.1, -0.01, -0.001);
      const steady = { ...job, inputs: [u!.map((value) => 1 + value / 10), slow, dt!.map(() => 1e-3)] };
      await verifySequences(backend, steady);
    },
  );

  test('the same bits twice', async () => {
    const job = jobOf(fewest.at(-1)!, fewest.length - 1, SHORT);
    const dOutput = (await backend.forward(job)).map(Math.sin);
    expect(await backend.forward(job)).toEqual(await backend.forward(job));
    expect(await backend.adjoint(job, dOutput)).toEqual(await backend.adjoint(job, dOutput));
  });

  test('elementary functions to 3e-7', async () => {
    const device = await openTrainingDevice(mode);
    const x = Float32Array.from({ length: 4001 }, (_, i) => (i - 2000) / 100);
    const small = x.map((value) => value / 1e6);
    const run = async (call: string, input: Float32Array): Promise<Float32Array> => {
      const plan = new Plan();
      const argument = plan.argument('x', [input.length]);
      const body = `return ${call}(a[this.thread.x]);`;
      plan.result('y', plan.run({ label: call, dims: [input.length], inputs: { a: argument }, body }));
      const pipeline = device.compile(plan);
      const found = await pipeline.run(new Map([['x', input]]), []);
      await pipeline.destroy();
      return found.get('y')!;
    };
    const worst = (got: Float32Array, want: (value: number) => number, input: Float32Array, floor: number) =>
      input.reduce(
        (most, value, i) =>
          Math.max(most, Math.abs(got[i]! - want(value)) / Math.max(floor, Math.abs(want(value)))),
        0,
      );
    expect(worst(await run('sine', x), Math.sin, x, 1)).toBeLessThan(3e-7);
    expect(worst(await run('cosine', x), Math.cos, x, 1)).toBeLessThan(3e-7);
    expect(worst(await run('growth', small), Math.expm1, small, 1e-30)).toBeLessThan(3e-7);
    // WGSL grants exp an error of (3 + 2 |x|) ulp.
    const below = x.map((value) => Math.min(value, 1));
    expect(worst(await run('growth', below), Math.expm1, below, 1e-30)).toBeLessThan(1e-6);
    expect(worst(await run('exponential', x), Math.exp, x, 1e-30)).toBeLessThan(3e-7);
    expect(worst(await run('normalCdf', x), normalCdf, x, 1e-7)).toBeLessThan(2e-5);
    expect(worst(await run('normalCdf', x), normalCdf, x, 1)).toBeLessThan(3e-7);
    expect(worst(await run('tangent', x), Math.tanh, x, 1e-30)).toBeLessThan(1e-6);
    expect(worst(await run('rectified', x), softplus, x, 1e-30)).toBeLessThan(1e-5);
    expect(worst(await run('logistic', x), sigmoid, x, 1e-30)).toBeLessThan(1e-5);
    await device.close();
  });
});

describe('what it refuses', () => {
  test('methods that use the previous input', async () => {
    const backend = backends.cpu as GpuBackend;
    const unsupported = scanCases.filter(({ method }) => method.usesPreviousInput === true);
    expect(unsupported.length).toBeGreaterThan(0);
    for (const one of unsupported) {
      const job = scanJob(one, { batch: 1, frames: 4, seed: 1 });
      expect(backend.supports(job.op, job.attributes, job.types)).toBe(false);
      await expect(backend.forward(job)).rejects.toThrow(BackendError);
    }
  });

  test('a result that another backend gave', async () => {
    const pipeline = Object.assign(() => Promise.resolve([new Float32Array(1)]), {
      backend: 'cpu',
      executorKind: 'generic',
      fallbackReason: 'no adapter',
      destroy: () => Promise.resolve(),
    });
    const fallsBack: GpuJs = {
      createKernel: () => Object.assign(() => 0, { destroy() {} }),
      createPipeline: () => pipeline,
      addFunction: () => fallsBack,
      destroy: () => Promise.resolve(),
    };
    const plan = new Plan();
    plan.result('y', plan.argument('x', [1]));
    const pipelineOf = new DevicePipeline(fallsBack, 'webgpu', (values) => values, plan);
    const run = pipelineOf.run(new Map([['x', new Float32Array(1)]]), []);
    await expect(run).rejects.toThrow(
      'gpu.js ran a pipeline on cpu (generic) and not in mode webgpu: no adapter',
    );
  });

  test('jobs after destroy', async () => {
    const backend = await gpu({ mode: 'cpu' });
    const job = scanJob(scanCases[0]!, { batch: 1, frames: 4, seed: 1 });
    const under = backend.forward(job);
    await backend.destroy();
    expect(await under).toHaveLength((await referenceSequences.forward(job)).length);
    await expect(backend.forward(job)).rejects.toThrow('has been destroyed');
  });

  test('webgpu without an adapter, naming the cure; auto goes on without it and says so', () => {
    const script = `
      const { gpu } = await import(${JSON.stringify(new URL('../../src/backends/gpu/index.ts', import.meta.url).href)});
      const refused = await gpu({ mode: 'webgpu' }).catch((error) => error);
      const auto = await gpu();
      console.log(JSON.stringify([refused.name, refused.message, auto.name, auto.note]));
      await auto.destroy();`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, VK_ICD_FILENAMES: '/nonexistent', VK_DRIVER_FILES: '/nonexistent' },
      encoding: 'utf8',
    });
    expect(stdout, stderr).not.toBe('');
    const [name, message, auto, note] = JSON.parse(stdout) as string[];
    expect(name).toBe('BackendError');
    expect(message).toContain('VK_ICD_FILENAMES');
    expect(auto).toBe('gpu.js webasm');
    expect(note).toContain('webgpu is not available: WebGPU finds no adapter');
  });
});
