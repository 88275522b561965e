import { opByName } from '../../../signal/index.ts';
import * as codes from '../layout.ts';
import type { TrainPlan, TrainRequest } from './kernel.ts';
import { planArithmetic } from './kernels/arithmetic.ts';
import { planGru, planLstm } from './kernels/cell.ts';
import { planConvolution, planTransposed } from './kernels/convolution.ts';
import { planDense } from './kernels/dense.ts';
import { planInPlace } from './kernels/in-place.ts';
import { planReference } from './kernels/reference.ts';
import { planCopy, planEveryFrame, planMovement } from './kernels/movement.ts';
import { planMatrixScan } from './kernels/matrix-scan.ts';
import { planNormalise } from './kernels/normalise.ts';
import { planPointwise } from './kernels/pointwise.ts';
import { planChunkedScan } from './kernels/chunked-scan.ts';
import { planScan } from './kernels/scan.ts';
import { planSelectiveScan } from './kernels/selective-scan.ts';

/** Undefined where the kernel does not do this case. */
type Planner = (request: TrainRequest) => TrainPlan | undefined;

const planners: Readonly<Record<string, Planner>> = {
  neg: planPointwise(codes.NEG),
  abs: planPointwise(codes.ABS),
  square: planPointwise(codes.SQUARE),
  sqrt: planPointwise(codes.SQRT, 'output'),
  reciprocal: planPointwise(codes.RECIPROCAL, 'output'),
  exp: planPointwise(codes.EXP, 'output'),
  log: planPointwise(codes.LOG),
  tanh: planPointwise(codes.TANH, 'output'),
  relu: planPointwise(codes.RELU),
  sigmoid: planPointwise(codes.SIGMOID, 'output'),
  softplus: planPointwise(codes.SOFTPLUS),
  silu: planPointwise(codes.SILU),
  gelu: planPointwise(codes.GELU, 'input', true),
  'gelu-tanh': planPointwise(codes.GELU_TANH, 'input', true),
  add: planArithmetic(codes.ADD),
  sub: planArithmetic(codes.SUB),
  mul: planArithmetic(codes.MUL),
  div: planArithmetic(codes.DIV),
  dense: planDense,
  convolution: planConvolution,
  'transposed-convolution': planTransposed,
  'lstm-cell': planLstm,
  'gru-cell': planGru,
  sin: planInPlace({ local: true, reads: [0] }),
  cos: planInPlace({ local: true, reads: [0] }),
  clamp: planInPlace({ local: true, reads: [0] }),
  'stop-gradient': planInPlace({ local: true }),
  maximum: planInPlace({ local: true, reads: [0] }),
  embedding: planInPlace({ local: true, reads: [0] }),
  present: planInPlace({ local: true }),
  rotary: planInPlace({}),
  pool: planInPlace({ reads: [0], countsNothing: true }),
  last: planInPlace({}),
  reverse: planInPlace({}),
  'at-start': planInPlace({}),
  'running-mean': planInPlace({}),
  stft: planInPlace({ costly: true, countsNothing: true }),
  'inverse-stft': planInPlace({ costly: true, reads: [0, 1] }),
  normalise: planNormalise,
  slice: planMovement,
  concat: planMovement,
  reshape: planMovement,
  expand: planMovement,
  permute: planMovement,
  'every-frame': planEveryFrame,
  'frames-to-channels': planCopy,
  'channels-to-frames': planCopy,
  shift: planCopy,
  skip: planCopy,
  'matrix-scan': planMatrixScan,
  'diagonal-scan': (request) => planChunkedScan(request) ?? planSelectiveScan(request) ?? planScan(request),
};

/** The plan of an op: a kernel where there is one, else the reference in float64. */
export function planTraining(request: TrainRequest): TrainPlan {
  const { op } = request;
  const planner =
    opByName(op.name) === op && Object.hasOwn(planners, op.name) ? planners[op.name] : undefined;
  return planner?.(request) ?? planReference(request);
}
