import { referenceSequences } from '../../src/backends/reference/sequence.ts';
import type { SequenceBackend, SequenceJob } from '../../src/backends/sequence.ts';
import { random } from '../../src/init/index.ts';
import { expectClose } from '../support/close.ts';

/**
 * What every backend owes in training: one op over a batch of whole sequences, forward and adjoint, within 1e-5 of the
 * float64 reference, relative to the peak of each result.
 *
 * The output's gradient is that of ½ Σ w y² with random weights w: independent random numbers would make the gradient
 * of a single parameter a sum that cancels to next to nothing, and its relative error a matter of luck.
 */
export async function verifySequences(
  backend: SequenceBackend,
  job: SequenceJob,
  tolerance = 1e-5,
): Promise<void> {
  const expected = await referenceSequences.forward(job);
  expectClose(await backend.forward(job), expected, tolerance, 'forward');
  const source = random(job.frames);
  const dOutput = Float32Array.from(expected, (y) => y * source.uniform(0, 2));
  const gradients = await backend.adjoint(job, dOutput);
  const wanted = await referenceSequences.adjoint(job, dOutput);
  const { roles } = job.attributes as { roles?: readonly string[] };
  wanted.forEach((gradient, i) =>
    expectClose(gradients[i]!, gradient, tolerance, `gradient of ${roles?.[i] ?? i}`),
  );
}
