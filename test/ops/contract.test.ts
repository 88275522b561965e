import type { Random } from '../../src/init/index.ts';
import * as discretize from '../../src/discretize/index.ts';
import * as ops from '../../src/ops/index.ts';
import { sizeOf, type Shape, type Signal, type Trace } from '../../src/signal/index.ts';
import { verifyOp, type OpCase } from '../contract/op.ts';

const between = (low: number, high: number) => (shape: Shape, random: Random) =>
  Float64Array.from({ length: sizeOf(shape) }, () => random.uniform(low, high));

/** Away from kinks and poles, so that central differences mean something. */
const unary: Record<string, (x: Signal) => Signal> = {
  neg: ops.neg,
  abs: ops.abs,
  square: ops.square,
  sqrt: (x) => ops.sqrt(ops.add(ops.square(x), 0.5)),
  reciprocal: (x) => ops.reciprocal(ops.add(ops.square(x), 0.5)),
  exp: ops.exp,
  log: (x) => ops.log(ops.add(ops.square(x), 0.5)),
  sin: ops.sin,
  cos: ops.cos,
  tanh: ops.tanh,
  relu: ops.relu,
  sigmoid: ops.sigmoid,
  softplus: ops.softplus,
  silu: ops.silu,
  gelu: ops.gelu,
  geluTanh: ops.geluTanh,
};
for (const [name, apply] of Object.entries(unary)) {
  verifyOp({ name, inputs: { input: [3] }, build: (_t, { input }) => apply(input!), frames: 200 });
}

const binary: Record<string, (a: Signal, b: Signal | number) => Signal> = {
  add: ops.add,
  sub: ops.sub,
  mul: ops.mul,
  div: (a, b) => ops.div(a, typeof b === 'number' ? b : ops.add(ops.square(b), 0.5)),
};
for (const [name, apply] of Object.entries(binary)) {
  verifyOp({
    name: `${name} of two signals`,
    inputs: { input: [2, 3], other: [3] },
    build: (_t, { input, other }) => apply(input!, other!),
    frames: 200,
  });
  verifyOp({
    name: `${name} of a constant`,
    inputs: { input: [3] },
    build: (t, { input }) => apply(apply(input!, t.parameter('p', [2, 1])), 0.5),
    frames: 200,
  });
}

const moved: OpCase[] = [
  { name: 'slice', inputs: { input: [4, 3] }, build: (_t, { input }) => ops.slice(input!, 1, 2, 0) },
  { name: 'select', inputs: { input: [4, 2] }, build: (_t, { input }) => ops.select(input!, 1) },
  {
    name: 'split and concat',
    inputs: { input: [2, 5], other: [2, 1] },
    build: (_t, { input, other }) => {
      const [a, b] = ops.split(input!, [2, 3]);
      return ops.concat([b!, other!, a!]);
    },
  },
  {
    name: 'concat of a constant',
    inputs: { input: [2] },
    build: (t, { input }) => ops.concat([t.parameter('p', [3]), input!]),
  },
  { name: 'reshape', inputs: { input: [2, 6] }, build: (_t, { input }) => ops.reshape(input!, [3, 4]) },
  { name: 'expand', inputs: { input: [2, 1] }, build: (_t, { input }) => ops.expand(input!, [3, 2, 2]) },
  { name: 'permute', inputs: { input: [2, 3, 4] }, build: (_t, { input }) => ops.permute(input!, [2, 0, 1]) },
];
for (const test of moved) verifyOp({ ...test, frames: 200 });

verifyOp({
  name: 'dense',
  inputs: { input: [2, 3] },
  build: (t, { input }) => ops.dense(input!, t.parameter('weight', [4, 3]), t.parameter('bias', [4])),
});
verifyOp({
  name: 'dense without bias',
  inputs: { input: [3] },
  build: (t, { input }) => ops.dense(input!, t.parameter('weight', [2, 3])),
});

for (const frames of [0, 1, 5, 300]) {
  verifyOp({
    name: `delay by ${frames}`,
    inputs: { input: [2] },
    build: (_t, { input }) => ops.delay(input!, frames),
  });
}
verifyOp({
  name: 'previous',
  inputs: { input: [2] },
  build: (_t, { input }) => ops.previous(input!),
  frames: 300,
});
for (const frames of [1, 5, 40]) {
  verifyOp({
    name: `advance by ${frames}`,
    inputs: { input: [2] },
    build: (_t, { input }) => ops.advance(input!, frames),
    frames: 500,
  });
}
verifyOp({
  name: 'a join of a delayed, an advanced and a direct branch',
  inputs: { input: [2] },
  build: (_t, { input }) =>
    ops.add(ops.add(ops.delay(input!, 4), ops.advance(input!, 9)), ops.mul(ops.advance(input!, 3), input!)),
  frames: 700,
});

verifyOp({
  name: 'frames to channels',
  inputs: { input: [2] },
  build: (_t, { input }) => ops.framesToChannels(input!, 3),
  frames: 1100,
});
verifyOp({
  name: 'channels to frames',
  inputs: { input: [6] },
  build: (_t, { input }) => ops.channelsToFrames(input!, 3),
});
verifyOp({
  name: 'two rates down and up with look-ahead in between, joined with the direct branch',
  inputs: { input: [1] },
  build: (t, { input }) => {
    const half = ops.framesToChannels(input!, 2);
    const sixth = ops.framesToChannels(ops.advance(half, 2), 3);
    const mixed = ops.dense(ops.advance(sixth, 1), t.parameter('mix', [6, 6]));
    const back = ops.channelsToFrames(mixed, 6);
    return ops.add(back, ops.mul(input!, 0.5));
  },
  frames: 1104,
});

for (const [name, options, shape] of [
  ['causal', {}, [3, 2, 4]],
  ['same', { padding: 'same' }, [3, 2, 5]],
  ['valid, dilated', { padding: 'valid', dilation: 3 }, [3, 2, 3]],
  ['depthwise, dilated, same', { padding: 'same', groups: 2, dilation: 2 }, [4, 1, 3]],
  ['strided', { padding: 'valid', stride: 2 }, [3, 2, 4]],
  ['strided by more than its taps', { padding: { left: 1, right: 2 }, stride: 5 }, [3, 2, 2]],
] as const) {
  verifyOp({
    name: `convolution, ${name}`,
    inputs: { input: [2] },
    build: (t, { input }) =>
      ops.convolution(input!, t.parameter('weight', shape), {
        ...options,
        bias: t.parameter('bias', [shape[0]]),
      }),
    frames: 600,
  });
}
for (const [name, options, shape] of [
  ['by two', { stride: 2 }, [2, 3, 4]],
  ['taps that are no multiple of the stride', { stride: 3 }, [2, 3, 4]],
  ['cropped, grouped', { stride: 2, padding: 1, groups: 2 }, [2, 2, 4]],
  ['with output padding', { stride: 2, padding: 2, outputPadding: 1 }, [2, 1, 5]],
] as const) {
  verifyOp({
    name: `transposed convolution, ${name}`,
    inputs: { input: [2] },
    build: (t, { input }) =>
      ops.transposedConvolution(input!, t.parameter('weight', shape), {
        ...options,
        bias: t.parameter('bias', [shape[1] * ('groups' in options ? options.groups : 1)]),
      }),
    frames: 300,
  });
}
verifyOp({
  name: 'skip',
  inputs: { input: [2] },
  build: (_t, { input }) => ops.skip(input!, 3),
  frames: 400,
});

for (const [name, options] of [
  ['layer norm', {}],
  ['RMS norm', { centre: false }],
  ['group norm', { groups: 3, eps: 1e-3 }],
] as const) {
  verifyOp({
    name,
    inputs: { input: [2, 6] },
    build: (_t, { input }) => ops.normalise(input!, options),
    frames: 300,
  });
}
verifyOp({
  name: 'average pool',
  inputs: { input: [2] },
  build: (_t, { input }) => ops.averagePool(input!, 4),
  frames: 1102,
});
verifyOp({
  name: 'overlapping max pool',
  inputs: { input: [2] },
  build: (_t, { input }) => ops.maxPool(input!, 5, 2),
  frames: 1102,
});
verifyOp({
  name: 'running mean that forgets, with a prior',
  inputs: { input: [2] },
  build: (_t, { input }) => ops.runningMean(input!, { memory: 7, prior: { value: 0.3, frames: 2.5 } }),
  frames: 300,
});
verifyOp({
  name: 'running mean at another scale of time',
  inputs: { input: [2] },
  build: (t, { input }) =>
    ops.runningMean(input!, { memory: 7, prior: { value: 0.3, frames: 2.5 }, scale: t.literal(0.5) }),
  frames: 300,
});
verifyOp({
  name: 'running mean',
  inputs: { input: [2] },
  build: (_t, { input }) => ops.runningMean(input!),
  frames: 300,
});
verifyOp({
  name: 'one value a sequence',
  inputs: { input: [2] },
  build: (t, { input }) => ops.dense(ops.last(ops.runningMean(input!)), t.parameter('w', [3, 2])),
  frames: 700,
});
verifyOp({
  name: 'embedding',
  inputs: { input: [2] },
  input: (_port, frames, width) => Float32Array.from({ length: frames * width }, (_, i) => (i * 7) % 4),
  withoutGradient: ['input'],
  build: (t, { input }) => ops.embedding(input!, t.parameter('weight', [4, 3])),
  frames: 300,
});

verifyOp({ name: 'reverse', inputs: { input: [2] }, build: (_t, { input }) => ops.reverse(input!) });

verifyOp({
  name: 'state space',
  inputs: { input: [2] },
  build: (t, { input }) =>
    ops.stateSpace(input!, {
      A: t.parameter('A', [3, 3], between(-0.4, 0.4)),
      B: t.parameter('B', [3, 2]),
      C: t.parameter('C', [2, 3]),
      D: t.parameter('D', [2, 2]),
    }),
});

const { zoh, bilinear, gbt, euler, backwardDifference, foh, impulse, trapezoidal, zohEuler } = discretize;
const H = 4;
const N = 3;
const scan = (
  t: Trace,
  u: Signal,
  method: ops.ScanMethod,
  options: {
    complex?: boolean;
    readOut?: boolean;
    dt?: Signal;
    b?: Signal;
    c?: Signal;
    groups?: number;
    uIm?: Signal;
  } = {},
): Signal => {
  const { complex = true, readOut = true, groups = H } = options;
  const part = (name: string, low: number, high: number): Signal =>
    t.parameter(name, [groups, N], between(low, high));
  const pair = (name: string): ops.ComplexSignal =>
    complex ? { re: part(`${name}.re`, -1, 1), im: part(`${name}.im`, -1, 1) } : part(name, -1, 1);
  const isGiven = method.name === 'given';
  const aRe = part('a.re', isGiven ? -0.6 : -2, isGiven ? 0.6 : -0.2);
  return ops.diagonalScan(options.uIm ? { re: u, im: options.uIm } : u, {
    a: complex ? { re: aRe, im: part('a.im', isGiven ? -0.6 : -3, isGiven ? 0.6 : 3) } : aRe,
    b: options.b ?? pair('b'),
    ...(readOut ? { c: options.c ?? pair('c') } : {}),
    ...(isGiven ? {} : { dt: options.dt ?? t.parameter('dt', [H], between(0.05, 0.4)) }),
    method,
    states: N,
  });
};
const methods = [zoh, bilinear, gbt(0.3), euler, backwardDifference, foh, impulse, trapezoidal, zohEuler].map(
  (method) => method.diagonal,
);
for (const method of [...methods, ops.given]) {
  for (const complex of [false, true]) {
    verifyOp({
      name: `diagonal scan, ${method.name}, ${complex ? 'complex' : 'real'}`,
      inputs: { input: [H] },
      build: (t, { input }) => scan(t, input!, method, { complex }),
      frames: 300,
      // Euler's modes may be unstable: a thousand frames of them overflow.
      cpuFrames: method === discretize.euler.diagonal ? [5, 40] : [5, 1100],
    });
  }
}
verifyOp({
  name: 'diagonal scan, state read out',
  inputs: { input: [H] },
  build: (t, { input }) => scan(t, input!, zoh.diagonal, { readOut: false }),
  frames: 300,
});
verifyOp({
  name: 'diagonal scan, real state read out',
  inputs: { input: [H] },
  build: (t, { input }) => scan(t, input!, ops.given, { readOut: false, complex: false }),
  frames: 300,
});
verifyOp({
  name: 'diagonal scan, complex input',
  inputs: { input: [H], im: [H] },
  build: (t, { input, im }) => scan(t, input!, bilinear.diagonal, { uIm: im! }),
  frames: 300,
});
for (const method of [zohEuler.diagonal, zoh.diagonal, foh.diagonal]) {
  verifyOp({
    name: `diagonal scan, selective, ${method.name}`,
    inputs: { input: [H], delta: [H], b: [N], c: [N] },
    build: (t, { input, delta, b, c }) =>
      scan(t, input!, method, {
        complex: false,
        dt: ops.mul(ops.softplus(delta!), 0.3),
        b: ops.reshape(b!, [1, N]),
        c: ops.reshape(c!, [1, N]),
      }),
    frames: 300,
  });
}
verifyOp({
  name: 'diagonal scan, dt by frame, complex, in groups',
  inputs: { input: [H], delta: [1] },
  build: (t, { input, delta }) =>
    scan(t, input!, zoh.diagonal, { dt: ops.mul(ops.sigmoid(delta!), 0.5), groups: 2 }),
  frames: 300,
});
