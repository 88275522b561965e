import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { StreamBackend } from '../../src/backends/backend.ts';
import { backendByName } from '../../src/conformance/backend.ts';
import { runConformance } from '../../src/conformance/index.ts';
import { BackendError } from '../../src/errors.ts';

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

describe.each([...backends.keys()])('official gradients, --backend %s', (name) => {
  const backend = backends.get(name)!;
  if (backend instanceof BackendError) {
    test.skip(`not here: ${backend.message}`, () => {});
    return;
  }

  test.each(trained)('%s', async (golden) => {
    const { lines } = await runConformance({ paths: [`fixtures/golden/${golden}.safetensors`], backend });
    const grad = lines.find(({ way }) => way === 'grad');
    expect(grad!.verdict).toBe('ok');
    expect(grad!.error).toBeLessThanOrEqual(1e-4);
    expect(grad!.error).toBeGreaterThan(0);
  });

  test('what has no kernels is unsupported, and says what it is', async () => {
    const { lines } = await runConformance({ paths: ['fixtures/golden/rnn/gru.safetensors'], backend });
    const grad = lines.find(({ way }) => way === 'grad');
    expect(grad!.verdict).toBe('unsupported');
    expect(grad!.reason).toMatch(/gru-cell/);
  });
});
