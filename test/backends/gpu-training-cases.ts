/** Models that together have every op with kernels for training, in every form that a kernel tells apart. */
import { bilinear, zoh, zohEuler } from '../../src/discretize/index.ts';
import { gru, lru, lstm, mamba, mamba2, minGru, retention, s4d, s5 } from '../../src/layers/index.ts';
import { conv1d } from '../../src/layers/conv.ts';
import { linear } from '../../src/layers/linear.ts';
import { layerNorm } from '../../src/layers/norm.ts';
import * as ops from '../../src/ops/index.ts';
import {
  defineLayer,
  sizeOf,
  type Layer,
  type Shape,
  type Signal,
  type Trace,
} from '../../src/signal/index.ts';
import type { Random } from '../../src/init/index.ts';

export const FEATURES = 4;

/** A model of one op behind a dense layer, through which the gradient has to go back. */
const behindDense = (name: string, apply: (trace: Trace, x: Signal) => Signal): Layer =>
  defineLayer({
    name,
    features: FEATURES,
    apply: (trace, x) => apply(trace, linear(trace, x, { name: 'in', outputs: FEATURES })),
  });

const uniform = (
  trace: Trace,
  name: string,
  shape: Shape,
  of: (draw: number) => number = (draw) => draw,
): Signal =>
  trace.parameter(name, shape, (extents, random: Random) =>
    Float64Array.from({ length: sizeOf(extents) }, () => of(random.uniform(-1, 1))),
  );

/** A product with a weight of its own, in a shape. */
const project = (trace: Trace, x: Signal, name: string, shape: Shape): Signal =>
  ops.reshape(linear(trace, x, { name, outputs: sizeOf(shape) }), shape);

/** Queries, keys and values of a matrix scan; as many heads of queries and keys as are shared. */
const heads = (
  trace: Trace,
  x: Signal,
  count: number,
  keys: number,
  values: number,
  shared = count,
): { readonly q: Signal; readonly k: Signal; readonly v: Signal } => ({
  q: project(trace, x, 'q', [shared, keys]),
  k: project(trace, x, 'k', [shared, keys]),
  v: project(trace, x, 'v', [count, values]),
});

/** Decays by frame. */
const forget = (trace: Trace, x: Signal, shape: Shape): Signal =>
  ops.sigmoid(ops.add(project(trace, x, 'forget', shape), 1));

const poles = (draw: number): number => -1 - 0.5 * draw;
const steps = (draw: number): number => 0.3 + 0.1 * draw;

/** S4D blocks as a classifier has them: pre-norm, residual, dropout, the mean over time, one answer at the end. */
export const classifier = (rate: number): Layer =>
  defineLayer({
    name: 'classifier',
    features: FEATURES,
    apply(trace, x) {
      let y = linear(trace, x, { name: 'encoder', outputs: 6 });
      for (let i = 0; i < 2; i++) {
        const scope = trace.scope(`layers.${i}`);
        const block = s4d({ features: 6, states: 4 }).apply(scope.scope('s4d'), layerNorm(scope, y, 'norm'));
        y = ops.add(y, rate > 0 ? ops.dropout(block, { rate, tied: i === 0 }) : block);
      }
      return linear(trace, ops.last(ops.runningMean(y)), { name: 'decoder', outputs: 3 });
    },
  });

export const cases: Readonly<Record<string, Layer>> = {
  s4d: s4d({ features: FEATURES, states: 4 }),
  gru: gru({ features: FEATURES, hidden: 3 }),
  lstm: lstm({ features: FEATURES, hidden: 3 }),
  'gru cell that resets before the product, from a state of its own': behindDense('gru', (t, x) =>
    ops.gruCell(linear(t, x, { name: 'gates', outputs: 9 }), {
      weight: uniform(t, 'weight', [9, 3]),
      bias: uniform(t, 'bias', [9]),
      initial: uniform(t, 'h0', [3]),
      reset: 'before',
    }),
  ),
  'gru cell without a bias': behindDense('gru', (t, x) =>
    ops.gruCell(linear(t, x, { name: 'gates', outputs: 6 }), {
      weight: uniform(t, 'weight', [6, 2]),
      initial: uniform(t, 'h0', [2]),
    }),
  ),
  'lstm cell from a state of its own': behindDense('lstm', (t, x) =>
    ops.lstmCell(linear(t, x, { name: 'gates', outputs: 12 }), {
      weight: uniform(t, 'weight', [12, 3]),
      initial: { h: uniform(t, 'h0', [3]), c: uniform(t, 'c0', [3]) },
    }),
  ),
  mamba2: mamba2({ features: FEATURES, states: 3, headWidth: 4, inner: 8 }),
  'retention, parallel': retention({ features: FEATURES, heads: 2, form: 'parallel' }),
  'a matrix scan without decay': behindDense('matrix', (t, x) => ops.matrixScan(heads(t, x, 2, 2, 3))),
  'a matrix scan with a decay a key': behindDense('matrix', (t, x) =>
    ops.matrixScan({ ...heads(t, x, 2, 2, 3), decay: forget(t, x, [2, 2]) }),
  ),
  'a matrix scan that is read before, of shared heads': behindDense('matrix', (t, x) =>
    ops.matrixScan({ ...heads(t, x, 4, 3, 4, 2), decay: forget(t, x, [2, 1]), readOut: 'before' }),
  ),
  'a matrix scan with a decay a key that is read before': behindDense('matrix', (t, x) =>
    ops.matrixScan({
      ...heads(t, x, 4, 3, 2, 1),
      decay: ops.sigmoid(uniform(t, 'decay', [2, 3])),
      readOut: 'before',
    }),
  ),
  'a matrix scan of two outer products a frame': behindDense('matrix', (t, x) =>
    ops.matrixScan({
      q: project(t, x, 'q', [2, 3]),
      k: project(t, x, 'k', [2, 2, 3]),
      v: project(t, x, 'v', [2, 2, 2]),
      decay: forget(t, x, [2, 1]),
    }),
  ),
  'a matrix scan that forgets all at times': behindDense('matrix', (t, x) =>
    ops.matrixScan({ ...heads(t, x, 2, 2, 2), decay: ops.relu(project(t, x, 'forget', [2, 1])) }),
  ),
  'rotary, by halves': behindDense('rotary', (_, x) =>
    ops.mul(
      ops.rotary(ops.reshape(x, [1, 4]), { angles: [0.7, 3.1], layout: 'half' }),
      ops.reshape(x, [1, 4]),
    ),
  ),
  's4d, bilinear': s4d({ features: FEATURES, states: 4, discretization: bilinear }),
  mamba: mamba({ features: FEATURES, states: 3 }),
  s5: s5({ features: FEATURES, states: 6 }),
  lru: lru({ features: FEATURES, states: 6 }),
  'min-gru': minGru({ features: FEATURES }),
  'causal convolution by groups, dilated': behindDense('conv', (t, x) =>
    conv1d(t, x, { name: 'c', outputs: 6, taps: 3, groups: 2, dilation: 2 }),
  ),
  'convolution that looks ahead': behindDense('conv', (t, x) =>
    conv1d(t, x, { name: 'c', outputs: 6, taps: 5, padding: 'same' }),
  ),
  'convolution with a stride': behindDense('conv', (t, x) =>
    conv1d(t, x, { name: 'c', outputs: 6, taps: 4, stride: 2 }),
  ),
  'transposed convolution': behindDense('transposed', (t, x) =>
    ops.transposedConvolution(x, uniform(t, 'w', [4, 3, 5]), {
      bias: uniform(t, 'b', [3]),
      stride: 2,
      padding: 1,
    }),
  ),
  'transposed convolution by groups': behindDense('transposed', (t, x) =>
    ops.transposedConvolution(ops.mul(x, x), uniform(t, 'w', [4, 2, 3]), { stride: 3, groups: 2 }),
  ),
  // What is added to all keys alike changes no weight: a bias of squares does.
  'sliding attention': behindDense('attention', (t, x) =>
    ops.slidingAttention(
      project(t, x, 'q', [4, 3]),
      ops.square(project(t, x, 'k', [2, 3])),
      project(t, x, 'v', [2, 2]),
      { window: 6 },
    ),
  ),
  'one answer': behindDense('answer', (t, x) => linear(t, ops.last(x), { name: 'answer', outputs: 3 })),
  delay: behindDense('delay', (_, x) => ops.add(ops.delay(x, 3), ops.mul(x, x))),
  advance: behindDense('advance', (_, x) => ops.advance(x, 2)),
  skip: behindDense('skip', (_, x) => ops.skip(x, 2)),
  reverse: behindDense('reverse', (t, x) => ops.reverse(ops.mul(x, uniform(t, 'w', [FEATURES])))),
  pools: behindDense('pools', (_, x) => ops.concat([ops.averagePool(x, 3, 2), ops.maxPool(x, 3, 2)])),
  'frames and channels': behindDense('frames', (t, x) =>
    ops.channelsToFrames(linear(t, ops.framesToChannels(x, 2), { name: 'mid', outputs: 8 }), 2),
  ),
  'running mean': behindDense('mean', (_, x) => ops.runningMean(x)),
  'running mean of some frames': behindDense('mean', (_, x) =>
    ops.runningMean(x, { memory: 10, prior: { value: 0.5, frames: 2 } }),
  ),
  'running mean at another scale of time': behindDense('mean', (t, x) =>
    ops.runningMean(x, { memory: 10, prior: { value: 0.5, frames: 2 }, scale: t.literal(0.25) }),
  ),
  clamp: behindDense('clamp', (_, x) => ops.clamp(x, -0.3, 0.2)),
  'every frame': behindDense('every', (t, x) =>
    ops.mul(x, ops.add(ops.everyFrame(x, uniform(t, 'w', [FEATURES])), ops.atStart(x))),
  ),
  movement: behindDense('movement', (t, x) => {
    const square = ops.reshape(x, [2, 2]);
    const product = ops.mul(
      ops.reshape(square, [2, 2, 1]),
      ops.permute(uniform(t, 'w', [2, 2, 3]), [1, 0, 2]),
    );
    return ops.concat([
      ops.reshape(ops.permute(product, [2, 0, 1]), [12]),
      ops.expand(ops.slice(x, 1, 1), [5]),
      ops.select(square, 1),
    ]);
  }),
  broadcast: behindDense('broadcast', (t, x) => {
    const scaled = ops.mul(ops.reshape(x, [4, 1, 1]), uniform(t, 'a', [2, 1]));
    return ops.reshape(ops.div(scaled, ops.add(ops.square(uniform(t, 'b', [3])), 1)), [24]);
  }),
  pointwise: behindDense('pointwise', (_, x) =>
    ops.concat([
      ops.concat([ops.tanh(x), ops.abs(x), ops.softplus(x), ops.silu(x), ops.gelu(x), ops.geluTanh(x)]),
      ops.concat([ops.relu(x), ops.sin(x), ops.cos(x), ops.exp(x), ops.sqrt(ops.exp(x))]),
      ops.concat([
        ops.log(ops.exp(x)),
        ops.reciprocal(ops.exp(x)),
        ops.neg(x),
        ops.square(x),
        ops.sigmoid(x),
      ]),
      ops.stopGradient(x),
    ]),
  ),
  normalise: behindDense('normalise', (_, x) =>
    ops.concat([ops.normalise(x), ops.normalise(x, { groups: 2, centre: false })]),
  ),
  'a scan whose output is its state': behindDense('state', (t, x) =>
    ops.reshape(
      ops.diagonalScan(x, {
        a: { re: uniform(t, 'aRe', [4, 2], poles), im: uniform(t, 'aIm', [4, 2]) },
        dt: uniform(t, 'dt', [4], steps),
        method: zoh.diagonal,
      }),
      [16],
    ),
  ),
  'a scan whose read-out alone varies': behindDense('read-out', (t, x) =>
    ops.diagonalScan(x, {
      a: uniform(t, 'a', [4, 2], poles),
      b: uniform(t, 'b', [4, 2]),
      c: ops.reshape(linear(t, x, { name: 'c', outputs: 2 }), [1, 2]),
      dt: uniform(t, 'dt', [4], steps),
      method: zoh.diagonal,
    }),
  ),
  'a complex scan whose step varies': behindDense('step', (t, x) =>
    ops.diagonalScan(x, {
      a: { re: uniform(t, 'aRe', [4, 2], poles), im: uniform(t, 'aIm', [4, 2]) },
      c: { re: uniform(t, 'cRe', [4, 2]), im: uniform(t, 'cIm', [4, 2]) },
      dt: ops.softplus(linear(t, x, { name: 'step', outputs: 4 })),
      method: zohEuler.diagonal,
    }),
  ),
  'a real recurrence that turns negative': behindDense('given', (t, x) =>
    ops.diagonalScan(x, {
      a: uniform(t, 'a', [4, 2], (draw) => 0.9 * draw),
      c: uniform(t, 'c', [4, 2]),
      method: ops.given,
    }),
  ),
  'a complex recurrence': behindDense('given', (t, x) =>
    ops.diagonalScan(x, {
      a: {
        re: uniform(t, 'aRe', [4, 2], (draw) => 0.6 * draw),
        im: uniform(t, 'aIm', [4, 2], (d) => 0.6 * d),
      },
      b: { re: uniform(t, 'bRe', [4, 2]), im: uniform(t, 'bIm', [4, 2]) },
      c: { re: uniform(t, 'cRe', [4, 2]), im: uniform(t, 'cIm', [4, 2]) },
      method: ops.given,
    }),
  ),
};

/** What modes other than `cpu` run, which are slow to compile; scans that stand still and that vary they meet elsewhere. */
export const FEW = [
  's5',
  'convolution that looks ahead',
  'transposed convolution',
  'a matrix scan with a decay a key',
  'gru cell without a bias',
  'movement',
  'pointwise',
  'pools',
];
