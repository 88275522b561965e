import { BackendError } from '../../../../errors.ts';
import type { AnyOp, Node, SignalType } from '../../../../signal/index.ts';
import type { OpKernels } from '../kernels.ts';
import { arithmetic } from './arithmetic.ts';
import { convolution } from './convolution.ts';
import { dense } from './dense.ts';
import { diagonalScan } from './diagonal-scan/index.ts';
import { embedding } from './embedding.ts';
import { atStart, clamp, everyFrame } from './frame-by-frame.ts';
import { channelsToFrames, framesToChannels } from './frames.ts';
import { last } from './last.ts';
import { matrixScan } from './matrix-scan/index.ts';
import { movement } from './movement.ts';
import { normalise } from './normalise.ts';
import { pointwise } from './pointwise.ts';
import { pool } from './pool.ts';
import { gruCell } from './recurrent/gru-cell.ts';
import { lstmCell } from './recurrent/lstm-cell.ts';
import { retentionParallelScale } from './retention-scale.ts';
import { rotary } from './rotary.ts';
import { runningMean } from './running-mean.ts';
import { reverse, shift, skip } from './shift.ts';
import { slidingAttention } from './sliding-attention.ts';
import { transposedConvolution } from './transposed-convolution.ts';

/** Kernels by the op's name. */
const known: Readonly<Record<string, OpKernels>> = {
  ...pointwise,
  ...arithmetic,
  ...movement,
  dense,
  normalise,
  'diagonal-scan': diagonalScan,
  'running-mean': runningMean,
  last,
  convolution,
  'transposed-convolution': transposedConvolution,
  'sliding-attention': slidingAttention,
  shift,
  skip,
  reverse,
  pool,
  'frames-to-channels': framesToChannels,
  'channels-to-frames': channelsToFrames,
  embedding,
  'every-frame': everyFrame,
  'at-start': atStart,
  clamp,
  'matrix-scan': matrixScan,
  rotary,
  'retention-parallel-scale': retentionParallelScale,
  'gru-cell': gruCell,
  'lstm-cell': lstmCell,
};

/** Undefined for an op that has none. */
export const kernelsByName = (name: string): OpKernels | undefined =>
  Object.hasOwn(known, name) ? known[name] : undefined;

/** What of an op has no kernels; undefined where it can run on the device. */
export function lackingIn(op: AnyOp, attributes: unknown, types: readonly SignalType[]): string | undefined {
  const kernels = kernelsByName(op.name);
  return kernels ? kernels.lacks?.(attributes as never, types) : op.name;
}

/** Why a node can't run on the device; undefined where it can. */
export const lackingFor = ({ source, inputs }: Node): string | undefined =>
  source.kind === 'op' ? lackingIn(source.op, source.attributes, inputs) : undefined;

/** @throws BackendError naming the op, where it has none. */
export function kernelsOf(node: Node): OpKernels {
  const lacking = lackingFor(node);
  if (lacking !== undefined || node.source.kind !== 'op') {
    throw new BackendError(
      `the GPU backend can't train ${lacking ?? 'this'} (${node.path}); train on the CPU backend`,
    );
  }
  return known[node.source.op.name]!;
}
