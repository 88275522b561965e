import type { MatrixScanAttributes, MatrixScanPrepared, MatrixScanRole } from '../../ops/matrix-scan-plan.ts';
import { sizeOf } from '../../signal/index.ts';
import type { KernelPlan, KernelRequest } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';
import { Bytes } from './scan.ts';

/** The operands in the order of the kernel's records. */
const ROLES: readonly MatrixScanRole[] = ['q', 'k', 'v', 'decay'];

/**
 * The matrix scan of sums that nothing is taken from, its state in float64 in the op's own section; rounded to float32
 * where that was asked for by name. Undefined for delta rules and for several products a frame, which are not endless.
 */
export function planEndless(request: KernelRequest): KernelPlan | undefined {
  const { types, constants } = request;
  const { heads, keys, values, rank, readOut, roles, endless } = request.attributes as MatrixScanAttributes;
  if (!endless || roles.includes('a') || rank !== 1) return undefined;
  const { operand, rounded } = request.prepared as MatrixScanPrepared;
  const bytes = new Bytes();
  bytes.take(at.ENDLESS_BYTES);
  const one = bytes.take(at.VECTOR);
  const offsets = ROLES.map(() => bytes.take(4 * heads));
  const copies = ROLES.map((role) => {
    const still = operand[role] && constants[operand[role].input];
    return still ? bytes.take(4 * still.length) : -1;
  });
  const recordOf = (i: number): number => at.ENDLESS_OPERANDS + i * at.MATRIX_OPERAND_BYTES;
  return {
    bytes: bytes.size,
    pack(arena, base, { state }) {
      const put = writerAt(arena, base);
      const floats = new Float32Array(arena.buffer);
      floats.fill(1, (base + one) / 4, (base + one) / 4 + at.LANES);
      put(at.ENDLESS_HEADS, heads);
      put(at.ENDLESS_KEYS, keys);
      put(at.ENDLESS_VALUES, values);
      put(at.ENDLESS_BEFORE, readOut === 'before' ? 1 : 0);
      put(at.ENDLESS_ROUNDED, rounded ? 1 : 0);
      put(at.ENDLESS_STATE, state['S']!.byteOffset);
      put(at.ENDLESS_DECAY_STEP, 4 * (operand.decay?.step ?? 0));
      ROLES.forEach((role, i) => {
        const record = recordOf(i);
        const found = operand[role];
        put(record + at.MATRIX_OFFSETS, base + offsets[i]!);
        put(record + at.MATRIX_SOURCE, base + one);
        if (found === undefined) return;
        for (let h = 0; h < heads; h++) put(offsets[i]! + 4 * h, 4 * found.offset[h]!);
        const still = constants[found.input];
        if (still === undefined) {
          put(record + at.MATRIX_STEP, 4 * sizeOf(types[found.input]!.shape));
        } else {
          floats.set(still, (base + copies[i]!) / 4);
          put(record + at.MATRIX_SOURCE, base + copies[i]!);
        }
      });
    },
    bind: (arena, base, node) =>
      kernelOf(
        arena,
        {
          kernel: at.KERNEL_ENDLESS,
          descriptor: base,
          inputs: ROLES.flatMap((role, i) => {
            const found = operand[role];
            return found && constants[found.input] === undefined
              ? [{ input: found.input, field: base + recordOf(i) + at.MATRIX_SOURCE }]
              : [];
          }),
          output: base + at.ENDLESS_OUTPUT,
          period: at.WIDE_FLUSH,
        },
        node,
      ),
  };
}
