import { isConstant, sizeOf } from '../../../../signal/index.ts';
import * as codes from '../../layout.ts';
import { Bytes } from '../../scan.ts';
import type { TrainPlan, TrainRequest } from '../kernel.ts';

/** For each element of the output, the input it comes from and where in that input: what such ops prepare. */
interface Gather {
  readonly input: Int32Array;
  readonly index: Int32Array;
}

/** Numbers that change places within a frame, by runs of neighbours; what was repeated adds up on the way back. */
export function planMovement(request: TrainRequest): TrainPlan | undefined {
  const { op, attributes, types } = request;
  const gather = op.prepare!({
    attributes,
    types,
    constants: types.map(() => undefined),
    precision: 'float64',
  }) as Gather;
  return planGather(request, gather);
}

/** A constant, once a frame. */
export function planEveryFrame(request: TrainRequest): TrainPlan | undefined {
  const size = sizeOf(request.types[1]!.shape);
  return planGather(request, {
    input: new Int32Array(size).fill(1),
    index: Int32Array.from({ length: size }, (_, i) => i),
  });
}

function planGather({ types }: TrainRequest, { input, index }: Gather): TrainPlan | undefined {
  const width = index.length;
  if (width === 0) return undefined;
  const runs: { input: number; from: number; to: number; size: number }[] = [];
  for (let i = 0; i < width; i++) {
    const last = runs.at(-1);
    if (last && last.input === input[i]! && last.from + last.size === index[i]!) last.size++;
    else runs.push({ input: input[i]!, from: index[i]!, to: i, size: 1 });
  }
  const bytes = new Bytes();
  const descriptorAt = bytes.take(codes.MOVE_INPUTS + 8 * types.length);
  const runsAt = bytes.take(codes.MOVE_RUN_BYTES * runs.length);
  const sums = types.map((type) => (isConstant(type) ? bytes.take(4 * sizeOf(type.shape)) : -1));
  return {
    local: true,
    native: true,
    carries: true,
    costly: false,
    reads: { inputs: [], output: false },
    fixed: bytes.size,
    bind(memory, base) {
      const { kernels, u32 } = memory;
      const descriptor = base + descriptorAt;
      const put = (field: number, value: number): void => {
        u32[(base + field) / 4] = value;
      };
      put(descriptorAt + codes.MOVE_RUNS, base + runsAt);
      put(descriptorAt + codes.MOVE_COUNT, runs.length);
      put(descriptorAt + codes.MOVE_OUTPUT_STEP, 4 * width);
      runs.forEach((run, i) => {
        const record = runsAt + i * codes.MOVE_RUN_BYTES;
        put(record + codes.MOVE_RUN_INPUT, run.input);
        put(record + codes.MOVE_RUN_FROM, 4 * run.from);
        put(record + codes.MOVE_RUN_TO, 4 * run.to);
        put(record + codes.MOVE_RUN_SIZE, 4 * run.size);
      });
      types.forEach((type, i) => {
        put(descriptorAt + codes.MOVE_INPUTS + 8 * i + 4, isConstant(type) ? 0 : 4 * sizeOf(type.shape));
      });
      const point = (output: number, at: (input: number) => number): void => {
        const words = memory.u32;
        for (let i = 0; i < types.length; i++) words[(descriptor + codes.MOVE_INPUTS) / 4 + 2 * i] = at(i);
        words[(descriptor + codes.MOVE_OUTPUT) / 4] = output;
      };
      return {
        forward({ inputs, output, firings }) {
          point(output, (i) => inputs[i]!);
          kernels.move(descriptor, firings);
        },
        back({ dInputs, dOutput, firings }) {
          point(dOutput, (i) => (dInputs[i] === 0 || sums[i]! < 0 ? dInputs[i]! : base + sums[i]!));
          kernels.moveBack(descriptor, firings);
          types.forEach((type, i) => {
            if (sums[i]! >= 0 && dInputs[i] !== 0)
              kernels.widen(base + sums[i]!, dInputs[i]!, sizeOf(type.shape));
          });
        },
      };
    },
  };
}

/** Frames that follow each other in the same order: regrouped, delayed, advanced, or without the first. */
export function planCopy({ types, timing, attributes }: TrainRequest): TrainPlan {
  const width = sizeOf(types[0]!.shape);
  const { frames } = attributes as { readonly frames?: number };
  // A delay's window begins with the frame it wants, a look-ahead's ends with it.
  const shift = frames !== undefined && frames < 0 ? -frames : 0;
  const offset = 4 * width * (shift - timing.windows[0]!.left);
  const step = width * timing.stride;
  const isSkip = timing.windows[0]!.left < 0;
  const start = isSkip ? -4 * width * timing.windows[0]!.left : offset;
  return {
    local: false,
    native: true,
    carries: true,
    costly: false,
    reads: { inputs: [], output: false },
    fixed: 0,
    bind: (memory) => ({
      forward({ inputs, output, firings }) {
        const from = (inputs[0]! + start) / 4;
        memory.f32.copyWithin(output / 4, from, from + firings * step);
      },
      back({ dInputs, dOutput, firings }) {
        if (dInputs[0] !== 0) memory.kernels.accumulate(dOutput, dInputs[0]! + start, firings * step);
      },
    }),
  };
}
