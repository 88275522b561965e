import * as ops from '../../ops/index.ts';
import { defineLayer, traceModel, type AnyOp, type Signal, type Trace } from '../../signal/index.ts';
import type { KernelPlan, KernelRequest } from '../backend.ts';
import { planArithmetic } from './arithmetic.ts';
import * as at from './layout.ts';
import { planCopy, planMove, planShift } from './move.ts';
import { planNormalise } from './normalise.ts';
import { planPointwise } from './pointwise.ts';
import { planConvolution, planDense, planTransposed } from './products.ts';

type Planner = (request: KernelRequest) => KernelPlan | undefined;

/** An op as a layer writes it, of a signal of two channels. */
type Use = (x: Signal, trace: Trace) => Signal;

const matrix = (trace: Trace, ...shape: readonly number[]): Signal =>
  trace.literal(new Array<number>(shape.reduce((product, extent) => product * extent, 1)).fill(0), shape);

const planners: readonly (readonly [Use, Planner])[] = [
  [(x, trace) => ops.dense(x, matrix(trace, 2, 2)), planDense],
  [(x, trace) => ops.convolution(x, matrix(trace, 2, 2, 1)), planConvolution],
  [(x, trace) => ops.transposedConvolution(x, matrix(trace, 2, 2, 1)), planTransposed],
  [(x) => ops.normalise(x), planNormalise],
  [(x) => ops.add(x, x), planArithmetic(at.ADD, at.ADD)],
  [(x) => ops.sub(x, x), planArithmetic(at.SUB, at.SUB_FROM)],
  [(x) => ops.mul(x, x), planArithmetic(at.MUL, at.MUL)],
  [(x) => ops.div(x, x), planArithmetic(at.DIV, at.DIV_INTO)],
  [ops.neg, planPointwise(at.NEG)],
  [ops.abs, planPointwise(at.ABS)],
  [ops.square, planPointwise(at.SQUARE)],
  [ops.sqrt, planPointwise(at.SQRT)],
  [ops.reciprocal, planPointwise(at.RECIPROCAL)],
  [ops.exp, planPointwise(at.EXP)],
  [ops.log, planPointwise(at.LOG)],
  [ops.tanh, planPointwise(at.TANH)],
  [ops.relu, planPointwise(at.RELU)],
  [ops.sigmoid, planPointwise(at.SIGMOID)],
  [ops.softplus, planPointwise(at.SOFTPLUS)],
  [ops.silu, planPointwise(at.SILU)],
  [ops.gelu, planPointwise(at.GELU)],
  [ops.geluTanh, planPointwise(at.GELU_TANH)],
  [(x) => ops.slice(x, 0, 1), planMove],
  [(x) => ops.concat([x, x]), planMove],
  [(x) => ops.reshape(x, [1, 2]), planMove],
  [(x) => ops.expand(x, [3, 2]), planMove],
  [(x) => ops.permute(ops.reshape(x, [1, 2]), [1, 0]), planMove],
  [(x) => ops.framesToChannels(x, 2), planCopy],
  [(x) => ops.channelsToFrames(x, 2), planCopy],
  [(x) => ops.skip(x, 1), planCopy],
  [(x) => ops.delay(x, 1), planShift],
];

let known: ReadonlyMap<AnyOp, Planner> | undefined;

/** The kernels' plans by op. Ops are private to the functions that apply them, so each is met by applying it once. */
export function elementaryPlanner(op: AnyOp): Planner | undefined {
  known ??= new Map(planners.map(([use, planner]) => [opOf(use), planner]));
  return known.get(op);
}

function opOf(use: Use): AnyOp {
  const { nodes, outputs } = traceModel(
    defineLayer({ name: 'one op', features: 2, apply: (trace, x) => use(x, trace) }),
  );
  const { source } = [...outputs.values()][0] ?? nodes.at(-1)!;
  if (source.kind !== 'op') throw new Error('this is no op');
  return source.op;
}
