import type { DiagonalScanAttributes, ScanRole } from '../../../../ops/diagonal-scan.ts';
import { operandShape, scanPositions } from '../../../../ops/diagonal-scan-plan.ts';
import { isConstant } from '../../../../signal/index.ts';
import { Bytes } from '../../scan.ts';
import type { ForwardCall, TrainPlan, TrainRequest } from '../kernel.ts';
import * as at from '../layout.ts';

/**
 * Mamba's scan: real, Ā = e^{dt a}, B̄ = dt b; a stands still, dt comes by channel, b and c by state. Undefined for any
 * other arrangement, which the general kernel does.
 */
export function planSelectiveScan({ attributes: given, types }: TrainRequest): TrainPlan | undefined {
  const attributes = given as DiagonalScanAttributes;
  const { channels, states, complex, method, roles } = attributes;
  const position = scanPositions(roles);
  const isShaped = (role: ScanRole, rows: number, columns: number): boolean => {
    const type = types[position[role]];
    if (type === undefined) return false;
    const [r, c] = operandShape(type.shape);
    return r === rows && c === columns;
  };
  const family = method.family;
  const fits =
    !complex &&
    roles.length === 5 &&
    family.kind === 'exponential' &&
    family.input === 'one' &&
    position.a >= 0 &&
    isConstant(types[position.a]!) &&
    isShaped('a', channels, states) &&
    isShaped('dt', channels, 1) &&
    isShaped('b', 1, states) &&
    isShaped('c', 1, states) &&
    (['dt', 'b', 'c'] as const).every((role) => !isConstant(types[position[role]]!));
  if (!fits) return undefined;
  const groups = Math.ceil(channels / 4);
  const rows = 16 * states * groups;
  const bytes = new Bytes();
  const descriptorAt = bytes.take(at.SELECT_BYTES);
  const aAt = bytes.take(rows);
  const sumsAt = bytes.take(2 * rows);
  const beginAt = bytes.take(rows);
  const endAt = bytes.take(rows);
  const fields = [
    [at.SELECT_U, at.SELECT_D_U, position.u],
    [at.SELECT_DT, at.SELECT_D_DT, position.dt],
    [at.SELECT_B, at.SELECT_D_B, position.b],
    [at.SELECT_C, at.SELECT_D_C, position.c],
  ] as const;
  return {
    local: false,
    native: true,
    carries: true,
    costly: true,
    reads: { inputs: [position.u, position.dt, position.b, position.c], output: false },
    fixed: bytes.size,
    scratch: () => 16 * at.SELECT_TILE * 9 + rows + 2 * at.SELECT_TILE * 16 * states,
    kept: (firings) => Math.ceil(firings / at.SELECT_TILE) * rows,
    bind(memory, base) {
      const put = (field: number, value: number): void => {
        memory.u32[(base + descriptorAt + field) / 4] = value;
      };
      put(at.SELECT_CHANNELS, channels);
      put(at.SELECT_STATES, states);
      put(at.SELECT_A, base + aAt);
      put(at.SELECT_A_SUMS, base + sumsAt);
      put(at.SELECT_BEGIN, base + beginAt);
      put(at.SELECT_END, base + endAt);
      /** Where the lane of a channel and state stands among vectors of groups and states. */
      const lane = (h: number, n: number): number => ((h >> 2) * states + n) * 4 + (h & 3);
      const point = (call: ForwardCall, y: number): void => {
        put(at.SELECT_KEPT, call.kept);
        put(at.SELECT_SCRATCH, call.scratch);
        put(at.SELECT_Y, y);
        for (const [field, , input] of fields) put(field, call.inputs[input]!);
      };
      return {
        load(constants) {
          const a = constants[position.a]!;
          for (let h = 0; h < channels; h++) {
            for (let n = 0; n < states; n++) memory.f32[(base + aAt) / 4 + lane(h, n)] = a[h * states + n]!;
          }
          memory.f64.fill(0, (base + sumsAt) / 8, (base + sumsAt + 2 * rows) / 8);
        },
        forward(call) {
          point(call, call.output);
          memory.kernels.selectiveForward(base + descriptorAt, call.firings);
        },
        back(call) {
          point(call, call.dOutput);
          for (const [, field, input] of fields) put(field, call.dInputs[input]!);
          memory.kernels.selectiveBack(base + descriptorAt, call.firings);
        },
        state: {
          begin(from) {
            const to = (base + beginAt) / 4;
            if (from) memory.f32.set(from, to);
            else memory.f32.fill(0, to, to + rows / 4);
          },
          end: () => memory.f32.slice((base + endAt) / 4, (base + endAt + rows) / 4),
        },
        finish(give) {
          const gradient = give(position.a);
          if (gradient === undefined) return;
          for (let h = 0; h < channels; h++) {
            for (let n = 0; n < states; n++) {
              gradient[h * states + n]! += memory.f64[(base + sumsAt) / 8 + lane(h, n)]!;
            }
          }
        },
      };
    },
  };
}
