import { isConstant, sizeOf, type FloatArray } from '../../signal/index.ts';
import type { KernelCall, KernelPlan, KernelRequest } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';

/** What a small op on the numbers of a frame has in its descriptor. */
interface Each {
  readonly kernel: number;
  readonly width: number;
  readonly times?: number;
  /** Name of the section that the kernel remembers in. */
  readonly section?: string;
  readonly words?: Readonly<Record<number, number>>;
  readonly floats?: Readonly<Record<number, number>>;
  readonly doubles?: Readonly<Record<number, number>>;
  readonly counts?: boolean;
  readonly inPlace?: readonly number[];
}

const entries = (fields: Readonly<Record<number, number>> = {}): [number, number][] =>
  Object.entries(fields).map(([field, value]) => [Number(field), value]);

function planEach({ types }: KernelRequest, each: Each): KernelPlan | undefined {
  if (isConstant(types[0]!) || each.width === 0) return undefined;
  const { kernel, width, times = 1, section, inPlace = [] } = each;
  const sectionOf = (state: Readonly<Record<string, FloatArray>>): number =>
    section === undefined ? 0 : state[section]!.byteOffset;
  return {
    // The last vector may reach beyond the input, and must not reach beyond the memory.
    bytes: at.EACH_BYTES + at.VECTOR,
    inPlace,
    pack(arena, base, { state }) {
      const put = writerAt(arena, base);
      put(at.EACH_WIDTH, width);
      put(at.EACH_STATE, sectionOf(state));
      for (const [field, value] of entries(each.words)) put(field, value);
      for (const [field, value] of entries(each.floats))
        new Float32Array(arena.buffer, base + field, 1)[0] = value;
      for (const [field, value] of entries(each.doubles))
        new Float64Array(arena.buffer, base + field, 1)[0] = value;
    },
    bind(arena, base, node) {
      const call: KernelCall = {
        kernel,
        descriptor: base,
        inputs: [{ input: 0, field: base + at.EACH_INPUT }],
        output: base + at.EACH_OUTPUT,
        times,
      };
      return kernelOf(arena, each.counts === true ? { ...call, first: base + at.EACH_FIRST } : call, node);
    },
  };
}

const widthOf = ({ types }: KernelRequest): number => sizeOf(types[0]!.shape);

/** x between two bounds. */
export function planClamp(request: KernelRequest): KernelPlan | undefined {
  const { low, high } = request.attributes as { readonly low: number; readonly high: number };
  const width = widthOf(request);
  return planEach(request, {
    kernel: at.KERNEL_CLAMP,
    width,
    times: width,
    floats: { [at.EACH_LOW]: low, [at.EACH_HIGH]: high },
    inPlace: [0],
  });
}

/** The largest number of the last axis. */
export function planMaximum(request: KernelRequest): KernelPlan | undefined {
  const width = request.types[0]!.shape.at(-1)!;
  return planEach(request, { kernel: at.KERNEL_MAXIMUM, width, times: widthOf(request) / width });
}

/** The largest so far, and how far it rose. */
export const planRunningMaximum = (request: KernelRequest): KernelPlan | undefined =>
  planEach(request, { kernel: at.KERNEL_RUNNING_MAXIMUM, width: widthOf(request), section: 'max' });

/** Increments of an angle, summed modulo a turn in float64. */
export const planPhase = (request: KernelRequest): KernelPlan | undefined =>
  planEach(request, { kernel: at.KERNEL_PHASE, width: widthOf(request), section: 'angle', inPlace: [0] });

/** The mean or the largest of every few frames. */
export function planPool(request: KernelRequest): KernelPlan | undefined {
  const { kind, size, stride } = request.attributes as {
    readonly kind: string;
    readonly size: number;
    readonly stride: number;
  };
  return planEach(request, {
    kernel: at.KERNEL_POOL,
    width: widthOf(request),
    words: { [at.EACH_SIZE]: size, [at.EACH_STRIDE]: stride, [at.EACH_IS_MAX]: kind === 'max' ? 1 : 0 },
  });
}

/** The mean of what has been, in float64. */
export function planRunningMean(request: KernelRequest): KernelPlan | undefined {
  const { memory, prior } = request.prepared as { readonly memory: number; readonly prior: number };
  return planEach(request, {
    kernel: at.KERNEL_RUNNING_MEAN,
    width: widthOf(request),
    section: 'mean',
    doubles: { [at.EACH_MEMORY]: memory, [at.EACH_PRIOR]: prior },
    counts: true,
    inPlace: [0],
  });
}

/** 1 at the first frame. */
export const planAtStart = (request: KernelRequest): KernelPlan | undefined =>
  planEach(request, { kernel: at.KERNEL_AT_START, width: 1, section: 'begun' });
