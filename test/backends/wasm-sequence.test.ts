import { describe, expect, it } from 'vitest';
import { wasmSequences } from '../../src/backends/wasm/index.ts';
import { referenceSequences } from '../../src/backends/reference/sequence.ts';
import { BackendError } from '../../src/errors.ts';
import { random } from '../../src/init/random.ts';
import { scanCases, scanJob, scanRoles, type ScanCase } from '../contract/diagonal-scan-cases.ts';
import { expectClose } from '../support/close.ts';

/** Frames: whole tiles of 64, a tile and a bit, less than one. */
const LENGTHS = [128, 150, 37] as const;

const supported = scanCases.filter(({ method }) => method.usesPreviousInput !== true);
const refused = scanCases.filter(({ method }) => method.usesPreviousInput === true);

/**
 * Both directions against the reference. The output's gradient is that of ½ Σ w y² with random weights w: one of
 * independent random numbers would make the gradient of a single parameter a sum that cancels to next to nothing,
 * and its relative error a matter of luck.
 */
async function check(
  scan: ScanCase,
  backend: ReturnType<typeof wasmSequences>,
  frames: number,
  batch: number,
) {
  const job = scanJob(scan, { batch, frames, seed: frames });
  const expected = await referenceSequences.forward(job);
  expectClose(await backend.forward(job), expected, 1e-5, 'forward');
  const rng = random(frames);
  const dOutput = Float32Array.from(expected, (y) => y * rng.uniform(0, 2));
  const gradients = await backend.adjoint(job, dOutput);
  const wanted = await referenceSequences.adjoint(job, dOutput);
  scanRoles(scan).forEach((role, i) => expectClose(gradients[i]!, wanted[i]!, 1e-5, `d${role}`));
}

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
