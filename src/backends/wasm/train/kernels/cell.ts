import { isConstant, type SignalType } from '../../../../signal/index.ts';
import { Bytes } from '../../scan.ts';
import type { ForwardCall, TrainPlan, TrainRequest } from '../kernel.ts';
import * as at from '../layout.ts';

interface Cell {
  readonly gates: number;
  /** Vectors of a state. */
  readonly states: number;
  /** Rows of H numbers that a frame takes in the scratch memory. */
  readonly rows: number;
  readonly forward: 'lstmForward' | 'gruForward';
  readonly back: 'lstmBack' | 'gruBack';
}

const lstm: Cell = { gates: 4, states: 2, rows: 6, forward: 'lstmForward', back: 'lstmBack' };
const gru: Cell = { gates: 3, states: 1, rows: 7, forward: 'gruForward', back: 'gruBack' };

export const planLstm = (request: TrainRequest): TrainPlan | undefined => planCell(request, lstm);

/** A GRU that resets before the product has a second product in every frame: that is left to the reference. */
export const planGru = (request: TrainRequest): TrainPlan | undefined =>
  (request.attributes as { readonly reset: string }).reset === 'after' ? planCell(request, gru) : undefined;

function planCell({ attributes, types }: TrainRequest, cell: Cell): TrainPlan | undefined {
  const { bias, initial } = attributes as { readonly bias: boolean; readonly initial: boolean };
  if (types.slice(1).some((type: SignalType) => !isConstant(type))) return undefined;
  const units = types[1]!.shape[1]!;
  const { gates, states, rows } = cell;
  const biasAt = bias ? 2 : -1;
  const initialAt = initial ? (bias ? 3 : 2) : -1;
  const state = 4 * states * units;
  const bytes = new Bytes();
  const descriptorAt = bytes.take(at.CELL_BYTES);
  const transposedAt = bytes.take(4 * gates * units * units);
  const weightSumsAt = bytes.take(4 * gates * units * units);
  const biasSumsAt = bytes.take(4 * gates * units);
  const beginAt = bytes.take(state);
  const endAt = bytes.take(state);
  const dBeginAt = bytes.take(state);
  return {
    local: false,
    native: true,
    carries: true,
    costly: true,
    reads: { inputs: [0], output: false },
    fixed: bytes.size,
    scratch: () => 4 * units * (at.CELL_BLOCK * rows + 8),
    kept: (firings) => Math.ceil(firings / at.CELL_BLOCK) * state,
    bind(memory, base) {
      let initialValues: readonly (Float64Array | undefined)[] = [];
      let fresh = true;
      const put = (field: number, value: number): void => {
        memory.u32[(base + descriptorAt + field) / 4] = value;
      };
      const point = (call: ForwardCall): void => {
        put(at.CELL_GX, call.inputs[0]!);
        put(at.CELL_KEPT, call.kept);
        put(at.CELL_SCRATCH, call.scratch);
      };
      return {
        load(constants, places) {
          const { f32 } = memory;
          const to = (base + transposedAt) / 4;
          const weight = constants[1]!;
          for (let o = 0; o < gates * units; o++) {
            for (let i = 0; i < units; i++) f32[to + i * gates * units + o] = weight[o * units + i]!;
          }
          put(at.CELL_UNITS, units);
          put(at.CELL_TRANSPOSED, base + transposedAt);
          put(at.CELL_WEIGHT, places[1]!);
          put(at.CELL_BIAS, bias ? places[biasAt]! : 0);
          put(at.CELL_BEGIN, base + beginAt);
          put(at.CELL_END, base + endAt);
          put(at.CELL_D_BEGIN, base + dBeginAt);
          put(at.CELL_WEIGHT_SUMS, base + weightSumsAt);
          put(at.CELL_BIAS_SUMS, base + biasSumsAt);
          initialValues = initial ? constants.slice(initialAt, initialAt + states) : [];
        },
        state: {
          begin(from) {
            const to = (base + beginAt) / 4;
            fresh = from === undefined;
            if (from) memory.f32.set(from, to);
            else memory.f32.fill(0, to, to + states * units);
            if (fresh) initialValues.forEach((values, s) => memory.f32.set(values!, to + s * units));
          },
          end: () => memory.f32.slice((base + endAt) / 4, (base + endAt) / 4 + states * units),
        },
        forward(call) {
          point(call);
          put(at.CELL_OUTPUT, call.output);
          memory.kernels[cell.forward](base + descriptorAt, call.firings);
        },
        back(call) {
          point(call);
          put(at.CELL_D_OUTPUT, call.dOutput);
          put(at.CELL_D_GX, call.dInputs[0]!);
          put(at.CELL_D_WEIGHT, call.dInputs[1]!);
          put(at.CELL_D_BIAS, bias ? call.dInputs[biasAt]! : 0);
          memory.kernels[cell.back](base + descriptorAt, call.firings);
          // Gradients end at the border of what was carried on.
          if (!fresh) return;
          initialValues.forEach((_, s) => {
            const to = call.dInputs[initialAt + s]! / 8;
            const from = (base + dBeginAt) / 4 + s * units;
            if (to > 0) for (let i = 0; i < units; i++) memory.f64[to + i]! += memory.f32[from + i]!;
          });
        },
      };
    },
  };
}
