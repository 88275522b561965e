import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { StreamBackend } from '../../src/backends/backend.ts';
import { backendByName } from '../../src/conformance/backend.ts';
import { runConformance } from '../../src/conformance/index.ts';
import { BackendError } from '../../src/errors.ts';
import { deltaNet, initialise } from '../../src/layers/index.ts';
import { gpuGradients } from '../../src/train/gpu/gradient.ts';

// Debian's chromium brings a Vulkan driver that runs on the processor, for machines without a GPU.
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (process.env['VK_ICD_FILENAMES'] === undefined && existsSync(SWIFTSHADER)) {
  process.env['VK_ICD_FILENAMES'] = SWIFTSHADER;
}

const open = (name: string): Promise<StreamBackend | BackendError> =>
  backendByName(name).catch((error: unknown) => {
    if (error instanceof BackendError) return error;
    throw error;
  });
const backends = new Map(
  await Promise.all(['gpu-cpu', 'gpu-webasm', 'gpu'].map(async (name) => [name, await open(name)] as const)),
);

/** All that have official gradients. */
const trained = [
  's4d/minimal',
  'lru/lru_grad',
  'mamba/model',
  'mamba/selective_scan_ref',
  'rnn/min_gru',
  'rnn/gru',
  'rnn/lstm',
  'mamba2/model',
  'retnet/multiscale_retention',
] as const;
/** That the modes run the same kernels alike, `gpu-training.test.ts` shows. */
const few: ReadonlySet<string> = new Set(['rnn/lstm', 'retnet/multiscale_retention']);

describe.each([...backends.keys()])('official gradients, --backend %s', (name) => {
  const backend = backends.get(name)!;
  if (backend instanceof BackendError) {
    test.skip(`not here: ${backend.message}`, () => {});
    return;
  }

  test.each(trained.filter((golden) => name === 'gpu-cpu' || few.has(golden)))('%s', async (golden) => {
    const { lines } = await runConformance({ paths: [`fixtures/golden/${golden}.safetensors`], backend });
    const grad = lines.find(({ way }) => way === 'grad');
    expect(grad!.verdict).toBe('ok');
    expect(grad!.error).toBeLessThanOrEqual(golden.startsWith('retnet') ? 1e-3 : 1e-4);
    expect(grad!.error).toBeGreaterThan(0);
  });
});

test('what has no kernels is refused by the op’s name', async () => {
  const device = await gpuGradients('cpu');
  const model = deltaNet({ features: 8, heads: 2 });
  const refused = device.gradient(model, initialise(model, 1), { input: new Float32Array(32) }, () => ({}));
  await expect(refused).rejects.toThrow(/can't train matrix-scan with a delta rule/);
  await device.close();
});
