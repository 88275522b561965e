import type { BackwardCall, ForwardCall, OpKernels } from '../kernels.ts';
import type { Plan } from '../plan.ts';
import { sumRows, sumSlices } from '../sums.ts';
import { at, isSignal, X, Y, Z, type Tensor } from '../tensor.ts';

/**
 * y = W x + b. Neighbouring threads give neighbouring outputs, so W is read by columns: its transpose is made first.
 *
 * | symbol | shape |
 * | --- | --- |
 * | x | (vectors × I) a frame |
 * | W | (O × I) |
 */
export const dense: OpKernels = {
  forward(call) {
    const { plan, label, types, inputs, dims } = call as ForwardCall;
    const [x, weight, bias] = inputs;
    const [outputs, columns] = types[1]!.shape as [number, number];
    const [vector, row] = places(call, outputs);
    const transposed = transposedWeight(plan, label, weight!, outputs, columns);
    return plan.run({
      label,
      dims,
      inputs: { x: x!, w: transposed, ...(bias ? { b: bias } : {}) },
      body: `${vector.text}let sum = ${bias ? `b[${row}]` : '0'};
for (let i = 0; i < ${columns}; i++) {
  sum += ${at('x', x!, plus(vector.times(columns), 'i'))} * w[i * ${outputs} + ${row}];
}
return sum;`,
    });
  },
  adjoint(call) {
    const { plan, label, types, inputs, dims, dOutput, wanted, give } = call as BackwardCall;
    const [x, weight] = inputs;
    const [outputs, columns] = types[1]!.shape as [number, number];
    if (wanted(0)) {
      const [vector, column] = places(call, columns, columns);
      give(
        0,
        plan.run({
          label,
          dims: x!.dims,
          inputs: { d: dOutput, w: weight! },
          body: `${vector.text}let sum = 0;
for (let o = 0; o < ${outputs}; o++) {
  sum += ${at('d', dOutput, plus(vector.times(outputs), 'o'))} * w[o * ${columns} + ${column}];
}
return sum;`,
        }),
      );
    }
    const vectors = dims[0] / outputs;
    if (wanted(1)) give(1, weightGradient(call as BackwardCall, outputs, columns, vectors));
    if (inputs[2] && wanted(2)) {
      const all = isSignal(dOutput)
        ? sumRows(plan, {
            label,
            width: dims[0],
            frames: dims[1]!,
            items: dims[2]!,
            inputs: { d: dOutput },
            term: (frame, item) => `d[${item}][${frame}][${X}]`,
          })
        : dOutput;
      give(2, vectors === 1 ? all : overVectors(call as BackwardCall, all, outputs, vectors));
    }
  },
};

/** Wᵀ (I × O) of W (O × I): neighbouring threads, which give neighbouring outputs, read neighbouring numbers. */
export const transposedWeight = (
  plan: Plan,
  label: string,
  weight: Tensor,
  outputs: number,
  columns: number,
): Tensor =>
  plan.run({
    label,
    dims: [outputs * columns],
    inputs: { w: weight },
    body: `const i = Math.floor((${X} + 0.5) / ${outputs});\nreturn w[(${X} - i * ${outputs}) * ${columns} + i];`,
  });

/** Σ dy xᵀ over vectors, frames and items; x is the first of `inputs`. */
export function weightGradient(
  {
    plan,
    label,
    inputs,
    dims,
    dOutput,
  }: Pick<BackwardCall, 'plan' | 'label' | 'inputs' | 'dims' | 'dOutput'>,
  outputs: number,
  columns: number,
  vectors: number,
): ReturnType<OpKernels['forward']> {
  const [x] = inputs;
  const product = (o: string, i: string, frame: string, item: string): string => {
    const one = (v: string): string =>
      `${at('d', dOutput, plus(v === '0' ? '0' : `${v} * ${outputs}`, o), frame, item)} * ${at('x', x!, plus(v === '0' ? '0' : `${v} * ${columns}`, i), frame, item)}`;
    if (vectors === 1) return `sum += ${one('0')};`;
    return `for (let v = 0; v < ${vectors}; v++) { sum += ${one('v')}; }`;
  };
  if (dims.length === 1) {
    return plan.run({
      label,
      dims: [outputs * columns],
      inputs: { d: dOutput, x: x! },
      body: `const o = Math.floor((${X} + 0.5) / ${columns});
const i = ${X} - o * ${columns};
let sum = 0;\n${product('o', 'i', Y, Z)}\nreturn sum;`,
    });
  }
  // Neighbouring threads stand at neighbouring i and o, of one run of frames: they read the same few numbers.
  const [, frames, items] = dims;
  const run = runOf(frames, outputs * columns);
  const blocks = Math.ceil(frames / run);
  const frame = `(${Z} * ${run} + k)`;
  const term = product(Y, X, frame, 'item');
  const partial = plan.run({
    label: `${label} dW`,
    dims: [columns, outputs, blocks],
    inputs: { d: dOutput, x: x! },
    body: `let sum = 0;
for (let item = 0; item < ${items}; item++) {
  let own = 0;
  for (let k = 0; k < ${run}; k++) {
    ${(blocks * run === frames ? term : `if (${frame} < ${frames}) { ${term} }`).replaceAll('sum +=', 'own +=')}
  }
  sum += own;
}
return sum;`,
  });
  return sumSlices(plan, label, partial);
}

/** Threads that fill a large device. */
const THREADS = 2 ** 21;

/** Frames of a run: so many that there are threads enough, and if it can be a whole number of runs. */
function runOf(frames: number, width: number): number {
  const most = Math.max(1, Math.min(256, Math.floor((frames * width) / THREADS)));
  for (let run = most; run > most / 2; run--) if (frames % run === 0) return run;
  return most;
}

const overVectors = (
  { plan, label }: BackwardCall,
  all: ReturnType<OpKernels['forward']>,
  outputs: number,
  vectors: number,
): ReturnType<OpKernels['forward']> =>
  plan.run({
    label,
    dims: [outputs],
    inputs: { all },
    body: `let sum = 0;\nfor (let v = 0; v < ${vectors}; v++) { sum += all[v * ${outputs} + ${X}]; }\nreturn sum;`,
  });

interface Vector {
  /** Statements that find it. */
  readonly text: string;
  /** Where its numbers begin, for vectors of `size`. */
  readonly times: (size: number) => string;
}

/** Which vector of the frame the thread is in, and which of its `size` elements it is. */
function places(
  call: { types: readonly { shape: readonly number[] }[] },
  size: number,
  inputs?: number,
): [Vector, string] {
  const { shape } = call.types[0]!;
  const vectors = shape.reduce((a, b) => a * b, 1) / (inputs ?? shape.at(-1)!);
  if (vectors === 1) return [{ text: '', times: () => '0' }, X];
  return [
    {
      text: `const vector = Math.floor((${X} + 0.5) / ${size});\nconst place = ${X} - vector * ${size};\n`,
      times: (width) => `vector * ${width}`,
    },
    'place',
  ];
}

const plus = (a: string, b: string): string => (a === '0' ? b : `${a} + ${b}`);
