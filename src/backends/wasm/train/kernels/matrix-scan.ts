import { matrixScanOp } from '../../../../ops/matrix-scan.ts';
import type {
  MatrixScanAttributes,
  MatrixScanPrepared,
  MatrixScanRole,
} from '../../../../ops/matrix-scan-plan.ts';
import { isConstant, sizeOf } from '../../../../signal/index.ts';
import { Bytes } from '../../scan.ts';
import type { ForwardCall, TrainPlan, TrainRequest } from '../kernel.ts';
import * as at from '../layout.ts';

const ROLES: readonly MatrixScanRole[] = ['q', 'k', 'v', 'decay', 'a', 'b'];

/** The scan over matrices: linear attention, retention, SSD, delta rules. */
export function planMatrixScan({ attributes: given, types }: TrainRequest): TrainPlan {
  const attributes = given as MatrixScanAttributes;
  const { heads, keys, values, rank, readOut, roles } = attributes;
  const { operand }: MatrixScanPrepared = matrixScanOp.prepare!({
    attributes,
    types,
    constants: types.map(() => undefined),
    precision: 'float32',
  });
  const row = Math.ceil(values / 4) * 4;
  const state = 4 * keys * row;
  const bytes = new Bytes();
  const descriptorAt = bytes.take(at.STATE_DESCRIPTOR_BYTES);
  const offsetsAt = ROLES.map((role) => (operand[role] ? bytes.take(4 * heads) : -1));
  const sumsAt = ROLES.map((role) => {
    const input = operand[role]?.input;
    return input !== undefined && isConstant(types[input]!)
      ? bytes.take(4 * sizeOf(types[input]!.shape))
      : -1;
  });
  const beginAt = bytes.take(state * heads);
  const endAt = bytes.take(state * heads);
  return {
    local: false,
    native: true,
    carries: true,
    costly: true,
    reads: { inputs: types.flatMap((type, i) => (isConstant(type) ? [] : [i])), output: false },
    fixed: bytes.size,
    scratch: () => 4 * row * (rank + 4) + state * (at.STATE_BLOCK + 2),
    kept: (firings) => Math.ceil(firings / at.STATE_BLOCK) * state * heads,
    bind(memory, base) {
      const put = (field: number, value: number): void => {
        memory.u32[(base + descriptorAt + field) / 4] = value;
      };
      put(at.STATE_HEADS, heads);
      put(at.STATE_KEYS, keys);
      put(at.STATE_VALUES, values);
      put(at.STATE_RANK, rank);
      put(at.STATE_BEFORE, readOut === 'before' ? 1 : 0);
      put(at.STATE_DELTA, roles.includes('a') ? 1 : 0);
      put(at.STATE_DECAY_STEP, 4 * (operand.decay?.step ?? 0));
      put(at.STATE_BEGIN, base + beginAt);
      put(at.STATE_END, base + endAt);
      const recordOf = (i: number): number => at.STATE_RECORDS + i * at.STATE_RECORD_BYTES;
      ROLES.forEach((role, i) => {
        const found = operand[role];
        if (found === undefined) return;
        const type = types[found.input]!;
        put(recordOf(i) + at.STATE_STEP, isConstant(type) ? 0 : 4 * sizeOf(type.shape));
        put(recordOf(i) + at.STATE_OFFSETS, base + offsetsAt[i]!);
        found.offset.forEach((from, h) => (memory.u32[(base + offsetsAt[i]!) / 4 + h] = 4 * from));
      });
      const point = (call: ForwardCall, output: number): void => {
        put(at.STATE_KEPT, call.kept);
        put(at.STATE_SCRATCH, call.scratch);
        put(at.STATE_OUTPUT, output);
        ROLES.forEach((role, i) => {
          const input = operand[role]?.input;
          if (input !== undefined) put(recordOf(i) + at.STATE_SOURCE, call.inputs[input]!);
        });
      };
      return {
        forward(call) {
          point(call, call.output);
          memory.kernels.matrixForward(base + descriptorAt, call.firings);
        },
        back(call) {
          point(call, call.dOutput);
          ROLES.forEach((role, i) => {
            const input = operand[role]?.input;
            if (input === undefined) return;
            const gradient = call.dInputs[input]!;
            const summed = gradient !== 0 && sumsAt[i]! >= 0;
            put(recordOf(i) + at.STATE_GRADIENT, summed ? base + sumsAt[i]! : gradient);
            put(recordOf(i) + at.STATE_WIDE, summed ? gradient : 0);
            put(recordOf(i) + at.STATE_COUNT, summed ? sizeOf(types[input]!.shape) : 0);
          });
          memory.kernels.matrixBack(base + descriptorAt, call.firings);
        },
        state: {
          begin(from) {
            const to = (base + beginAt) / 4;
            if (from) memory.f32.set(from, to);
            else memory.f32.fill(0, to, to + (state * heads) / 4);
          },
          end: () => memory.f32.slice((base + endAt) / 4, (base + endAt + state * heads) / 4),
        },
      };
    },
  };
}
