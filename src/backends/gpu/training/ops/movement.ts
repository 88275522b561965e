import { sizeOf } from '../../../../signal/index.ts';
import type { BackwardCall, ForwardCall, OpKernels } from '../kernels.ts';
import { at, X } from '../tensor.ts';
import { indexMap, inverseMap } from './index-map.ts';

/** What the op's `prepare` lists: for each element of the output, its input and where in that it stands. */
interface Gather {
  readonly input: Int32Array;
  readonly index: Int32Array;
}

/** Neighbours in the output that are neighbours in one input. */
interface Run {
  readonly input: number;
  readonly start: number;
  readonly size: number;
  readonly from: number;
}

function runsOf({ input, index }: Gather): Run[] {
  const runs: { input: number; start: number; size: number; from: number }[] = [];
  for (let i = 0; i < index.length; i++) {
    const run = runs.at(-1);
    if (run && run.input === input[i] && run.from + run.size === index[i]) run.size++;
    else runs.push({ input: input[i]!, start: i, size: 1, from: index[i]! });
  }
  return runs;
}

/** More pieces than this are read from a table. */
const MOST_RUNS = 8;

/** Slices, reshapes, broadcasts, permutations and joins: gathers forward, scatters backward. */
const gather: OpKernels = {
  lazy: true,
  forward(call) {
    const { plan, label, dims, inputs, prepared } = call as ForwardCall as ForwardCall<unknown, Gather>;
    const [first] = inputs;
    const runs = runsOf(prepared);
    if (inputs.length === 1) {
      if (runs.length === 1 && runs[0]!.size === sizeOf((call as ForwardCall).types[0]!.shape)) return first!;
      const map = indexMap(plan, prepared.index, 'table');
      return plan.formula({
        label,
        dims,
        inputs: { a: first!, ...map.tables },
        text: at('a', first!, map.text(X)),
      });
    }
    return join(call as ForwardCall as ForwardCall<unknown, Gather>, runs);
  },
  adjoint(call) {
    const { plan, label, types, inputs, prepared, dims, dOutput, wanted, give } =
      call as BackwardCall as BackwardCall<unknown, Gather>;
    const runs = runsOf(prepared);
    inputs.forEach((_, which) => {
      if (!wanted(which)) return;
      const size = sizeOf(types[which]!.shape);
      const own = runs.filter((run) => run.input === which);
      // A slice: the gradient of some of the elements, as it stands.
      if (inputs.length === 1 && own.length === 1) {
        give(which, dOutput, own[0]!.from);
        return;
      }
      const index = prepared.index.map((at, i) => (prepared.input[i] === which ? at : -1));
      const rows = (width: number): typeof dims => (dims.length === 3 ? [width, dims[1], dims[2]] : [width]);
      if (own.length <= MOST_RUNS && inputs.length > 1) {
        for (const { start, size: length, from } of own) {
          const piece = plan.formula({
            label,
            dims: rows(length),
            inputs: { d: dOutput },
            text: at('d', dOutput, start === 0 ? X : `${X} + ${start}`),
          });
          give(which, piece, from);
        }
        return;
      }
      const inverse = inverseMap(plan, index, size, 'readers');
      const gradient = plan.run({
        label,
        dims: rows(size),
        inputs: { d: dOutput, ...inverse.tables },
        body: `let sum = 0;
for (let k = 0; k < ${inverse.count}; k++) {
  const index = ${inverse.text(X, 'k')};
  if (index >= 0) { sum += ${at('d', dOutput, 'index')}; }
}
return sum;`,
      });
      give(which, gradient);
    });
  },
};

/** Several inputs side by side, at most six at a time. */
function join(
  { plan, label, dims, inputs, prepared }: ForwardCall<unknown, Gather>,
  runs: readonly Run[],
): ReturnType<OpKernels['forward']> {
  const AT_ONCE = 4;
  let soFar: ReturnType<OpKernels['forward']> | undefined;
  for (let first = 0; first < inputs.length; first += AT_ONCE) {
    const some = inputs.slice(first, first + AT_ONCE);
    const names = some.map((_, i) => `x${i}`);
    const sources = Object.fromEntries(some.map((tensor, i) => [names[i]!, tensor]));
    const before = soFar;
    const start = `let value = ${before ? at('before', before, X) : '0'};\n`;
    if (runs.length <= MOST_RUNS) {
      const pieces = runs
        .filter(({ input }) => input >= first && input < first + some.length)
        .map(({ input, start: from, size, from: there }) => {
          const read = at(names[input - first]!, inputs[input]!, `${X} - ${from} + ${there}`);
          return `if (${X} >= ${from} && ${X} < ${from + size}) { value = ${read}; }`;
        });
      soFar = plan.run({
        label,
        dims,
        inputs: { ...sources, ...(before ? { before } : {}) },
        body: `${start}${pieces.join('\n')}\nreturn value;`,
      });
      continue;
    }
    const which = plan.literal(prepared.input);
    const index = plan.literal(prepared.index);
    const pieces = some.map((tensor, i) => {
      const number = first + i;
      const read = at(names[i]!, tensor, 'index[this.thread.x]');
      return `if (which[${X}] > ${number - 0.5} && which[${X}] < ${number + 0.5}) { value = ${read}; }`;
    });
    soFar = plan.run({
      label,
      dims,
      inputs: { ...sources, which, index, ...(before ? { before } : {}) },
      body: `${start}${pieces.join('\n')}\nreturn value;`,
    });
  }
  return soFar!;
}

export const movement: Readonly<Record<string, OpKernels>> = {
  slice: gather,
  concat: gather,
  reshape: gather,
  expand: gather,
  permute: gather,
};
