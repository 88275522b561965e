import { describe, expect, it } from 'vitest';
import { wasmSequences } from '../../src/backends/wasm/index.ts';
import type { SequenceBackend } from '../../src/backends/sequence.ts';
import { BackendError } from '../../src/errors.ts';
import { scanCases, scanJob, type ScanCase } from '../contract/diagonal-scan-cases.ts';
import { verifySequences } from '../contract/sequences.ts';

/** Frames: whole tiles of 64, a tile and a bit, less than one. */
const LENGTHS = [128, 150, 37] as const;

const supported = scanCases.filter(({ method }) => method.usesPreviousInput !== true);
const refused = scanCases.filter(({ method }) => method.usesPreviousInput === true);

const check = (scan: ScanCase, backend: SequenceBackend, frames: number, batch: number): Promise<void> =>
  verifySequences(backend, scanJob(scan, { batch, frames, seed: frames }));

describe.each([wasmSequences({ deterministic: true }), wasmSequences()])('$name trains', (backend) => {
  it.each(supported.map((scan, i) => ({ scan, name: scan.name, frames: LENGTHS[i % 3]! })))(
    '$name, $frames frames, as the reference does',
    ({ scan, frames }) => check(scan, backend, frames, 2),
  );

  it('sequences of thousands of frames', async () => {
    for (const form of ['s4d, bilinear', 'mamba, zoh-euler', 'complex state, given']) {
      const scan = supported.find(({ name }) => name.startsWith(form))!;
      await check(scan, backend, 3000, 1);
    }
  });

  it.each(refused.slice(0, 2))('not $name: it says so', async (scan) => {
    const job = scanJob(scan, { batch: 1, frames: 4, seed: 1 });
    expect(backend.supports(job.op, job.attributes, job.types)).toBe(false);
    await expect(backend.forward(job)).rejects.toThrow(BackendError);
    await expect(backend.adjoint(job, new Float32Array(4))).rejects.toThrow(scan.method.name);
  });
});
