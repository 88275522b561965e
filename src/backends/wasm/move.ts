import { isConstant, sizeOf } from '../../signal/index.ts';
import type { KernelPlan, KernelRequest } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';
import { Bytes } from './scan.ts';

/** For each element of the output, the input it comes from and where in that input: what such ops prepare. */
interface Gather {
  readonly input: Int32Array;
  readonly index: Int32Array;
}

/** Neighbours that stay neighbours, in numbers. */
interface Run {
  readonly input: number;
  readonly from: number;
  readonly to: number;
  size: number;
}

function runsOf({ input, index }: Gather): Run[] {
  const runs: Run[] = [];
  for (let i = 0; i < index.length; i++) {
    const last = runs.at(-1);
    if (last && last.input === input[i]! && last.from + last.size === index[i]!) last.size++;
    else runs.push({ input: input[i]!, from: index[i]!, to: i, size: 1 });
  }
  return runs;
}

/** Numbers that change places within a frame (slice, concat, expand, permute): neighbours are copied together. */
export function planMove(request: KernelRequest): KernelPlan | undefined {
  const gather = request.prepared as Gather;
  return planRuns(request, runsOf(gather), gather.index.length);
}

/** Frames that become others of the same memory order. */
export function planCopy(request: KernelRequest): KernelPlan | undefined {
  const { op, attributes, types } = request;
  const stride = op.timing?.(attributes, types).stride ?? 1;
  const size = sizeOf(types[0]!.shape) * stride;
  return planRuns(request, [{ input: 0, from: 0, to: 0, size }], size);
}

/** A delay, whose window begins with the frame it wants, or a look-ahead, whose window ends with it. */
export function planShift(request: KernelRequest): KernelPlan | undefined {
  const { frames } = request.attributes as { readonly frames: number };
  const size = sizeOf(request.types[0]!.shape);
  return planRuns(request, [{ input: 0, from: Math.max(0, -frames) * size, to: 0, size }], size);
}

/** A constant at every frame, whatever the first input holds: the second input's values, or 1 where there is none. */
export function planEveryFrame(request: KernelRequest): KernelPlan | undefined {
  const [frames, given] = request.types;
  const shape = given?.shape ?? [1];
  const size = sizeOf(shape);
  const still = { shape, rate: 'constant' as const };
  const values = request.constants[1] ?? new Float64Array(size).fill(1);
  return planRuns(
    { ...request, types: [frames!, still], constants: [undefined, values] },
    [{ input: 1, from: 0, to: 0, size }],
    size,
  );
}

function planRuns(request: KernelRequest, runs: readonly Run[], outputSize: number): KernelPlan | undefined {
  const { op, attributes, types, constants } = request;
  if (outputSize === 0) return undefined;
  const stride = op.timing?.(attributes, types).stride ?? 1;
  const bytes = new Bytes();
  bytes.take(at.MOVE_INPUTS + 8 * types.length);
  const runsAt = bytes.take(at.MOVE_RUN_BYTES * runs.length);
  const copies = constants.map((values) => (values ? bytes.take(4 * values.length) : -1));
  const held = constants.map((values, i) => (isConstant(types[i]!) ? values : undefined));
  return {
    bytes: bytes.size,
    pack(arena, base) {
      const put = writerAt(arena, base);
      put(at.MOVE_RUNS, base + runsAt);
      put(at.MOVE_COUNT, runs.length);
      put(at.MOVE_OUTPUT_STEP, 4 * outputSize);
      runs.forEach(({ input, from, to, size }, i) => {
        const record = runsAt + i * at.MOVE_RUN_BYTES;
        put(record + at.MOVE_RUN_INPUT, input);
        put(record + at.MOVE_RUN_FROM, 4 * from);
        put(record + at.MOVE_RUN_TO, 4 * to);
        put(record + at.MOVE_RUN_SIZE, 4 * size);
      });
      types.forEach((type, i) => {
        const values = held[i];
        if (values) {
          new Float32Array(arena.buffer, base + copies[i]!, values.length).set(values);
          put(at.MOVE_INPUTS + 8 * i, base + copies[i]!);
        } else {
          put(at.MOVE_INPUTS + 8 * i + 4, 4 * sizeOf(type.shape) * stride);
        }
      });
    },
    bind: (arena, base, node) =>
      kernelOf(
        arena,
        {
          kernel: at.KERNEL_MOVE,
          descriptor: base,
          inputs: types.flatMap((_, input) =>
            held[input] ? [] : [{ input, field: base + at.MOVE_INPUTS + 8 * input }],
          ),
          output: base + at.MOVE_OUTPUT,
        },
        node,
      ),
  };
}
