import type { BackwardCall, OpKernels } from '../kernels.ts';
import { sumRows } from '../sums.ts';
import { at, isSignal, widthOf, X, Y, Z } from '../tensor.ts';
import { indexMap, inverseMap } from './index-map.ts';

/** Text of f(a, b), and of its slopes in a and in b. */
interface Formula {
  readonly value: string;
  readonly slopes: readonly [string, string];
}

const formulas: Readonly<Record<string, Formula>> = {
  add: { value: 'a + b', slopes: ['1', '1'] },
  sub: { value: 'a - b', slopes: ['1', '0 - 1'] },
  mul: { value: 'a * b', slopes: ['b', 'a'] },
  div: { value: 'a / b', slopes: ['1 / b', '0 - a / (b * b)'] },
};

/** A formula with what a and b stand for. */
const put = (text: string, a: string, b: string): string =>
  text.replaceAll(/\b[ab]\b/g, (name) => (name === 'a' ? a : b));

/** What the op's `prepare` lists: for each element of the output, those of a and b that it is made from. */
interface Broadcast {
  readonly a: Int32Array;
  readonly b: Int32Array;
}

const kernels = ({ value, slopes }: Formula): OpKernels => ({
  lazy: true,
  forward({ plan, label, dims, inputs, prepared }) {
    const [a, b] = inputs;
    const { a: ofA, b: ofB } = prepared as Broadcast;
    const mapA = indexMap(plan, ofA, 'ta');
    const mapB = indexMap(plan, ofB, 'tb');
    return plan.formula({
      label,
      dims,
      inputs: { xa: a!, xb: b!, ...mapA.tables, ...mapB.tables },
      text: put(value, at('xa', a!, mapA.text(X)), at('xb', b!, mapB.text(X))),
    });
  },
  adjoint(call) {
    const whole = call as BackwardCall as BackwardCall<null, Broadcast>;
    for (const which of [0, 1] as const) {
      if (whole.wanted(which)) operandGradient(whole, which, slopes[which]);
    }
  },
});

/** dy · slope, summed over the outputs that an element stands in, and over time and batch where it is constant. */
function operandGradient(call: BackwardCall<null, Broadcast>, which: 0 | 1, slope: string): void {
  const { plan, label, inputs, dims, prepared, dOutput, give } = call;
  const own = inputs[which]!;
  const size = widthOf(own);
  const inverse = inverseMap(plan, which === 0 ? prepared.a : prepared.b, size, 'readers');
  const mapA = indexMap(plan, prepared.a, 'ta');
  const mapB = indexMap(plan, prepared.b, 'tb');
  const reads = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(slope);
  // d alone: the same numbers under another name.
  if (
    slope === '1' &&
    inverse.count === 1 &&
    inverse.text('i', '0') === 'i' &&
    isSignal(own) === isSignal(dOutput)
  ) {
    give(which, dOutput);
    return;
  }
  const sources = {
    d: dOutput,
    ...(reads('a') ? { xa: inputs[0]!, ...mapA.tables } : {}),
    ...(reads('b') ? { xb: inputs[1]!, ...mapB.tables } : {}),
    ...inverse.tables,
  };
  const element = (index: string, frame: string, item: string): string => {
    const product: string[] = [at('d', dOutput, index, frame, item)];
    const a = at('xa', inputs[0]!, mapA.text(index), frame, item);
    const b = at('xb', inputs[1]!, mapB.text(index), frame, item);
    if (slope !== '1') {
      product.push(`(${put(slope, a, b)})`);
    }
    return product.join(' * ');
  };
  const summed = (frame: string, item: string): { before: string; text: string } => {
    if (inverse.count === 1 && Object.keys(inverse.tables).length === 0) {
      return { before: '', text: element(inverse.text(X, '0'), frame, item) };
    }
    return {
      before: `let own = 0;
for (let k = 0; k < ${inverse.count}; k++) {
  const index = ${inverse.text(X, 'k')};
  if (index >= 0) { own += ${element('index', frame, item)}; }
}
`,
      text: 'own',
    };
  };
  if (!isSignal(own) && dims.length === 3) {
    const [width, frames, items] = dims;
    if (inverse.count === 1 && Object.keys(inverse.tables).length === 0) {
      const gradient = sumRows(plan, {
        label,
        width: size,
        frames,
        items,
        inputs: sources,
        term: (frame, item) => element(inverse.text(X, '0'), frame, item),
      });
      give(which, gradient);
      return;
    }
    // First over time and batch for every element of the output, then over those that share.
    const all = sumRows(plan, {
      label,
      width,
      frames,
      items,
      inputs: Object.fromEntries(Object.entries(sources).filter(([name]) => name !== 'readers')),
      term: (frame, item) => element(X, frame, item),
    });
    give(
      which,
      plan.run({
        label,
        dims: [size],
        inputs: { all, ...inverse.tables },
        body: `let own = 0;
for (let k = 0; k < ${inverse.count}; k++) {
  const index = ${inverse.text(X, 'k')};
  if (index >= 0) { own += all[index]; }
}
return own;`,
      }),
    );
    return;
  }
  const { before, text } = summed(Y, Z);
  if (before === '') {
    const own = isSignal(inputs[which]!) ? ([size, dims[1]!, dims[2]!] as const) : ([size] as const);
    give(which, plan.formula({ label, dims: own, inputs: sources, text }));
    return;
  }
  give(
    which,
    plan.run({
      label,
      dims: isSignal(own) ? [size, dims[1]!, dims[2]!] : [size],
      inputs: sources,
      body: `${before}return ${text};`,
    }),
  );
}

export const arithmetic: Readonly<Record<string, OpKernels>> = Object.fromEntries(
  Object.entries(formulas).map(([name, formula]) => [name, kernels(formula)]),
);
