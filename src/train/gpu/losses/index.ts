import type { Loss } from '../../loss.ts';
import type { LossKernels } from '../loss-kernels.ts';
import { crossEntropy } from './cross-entropy.ts';
import { esr } from './esr.ts';
import { l1, mse } from './mean-error.ts';

/** Losses that run on the device, by kind. */
const known: Readonly<Record<string, LossKernels>> = { mse, l1, esr, 'cross-entropy': crossEntropy };

/** Undefined for a loss that the host has to evaluate. */
export const lossKernelsOf = ({ kind }: Loss): LossKernels | undefined =>
  Object.hasOwn(known, kind) ? known[kind] : undefined;
