import type { MatrixScanAttributes, MatrixScanPrepared, MatrixScanRole } from '../../ops/matrix-scan-plan.ts';
import { sizeOf } from '../../signal/index.ts';
import type { KernelPlan, KernelRequest } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';
import { Bytes } from './scan.ts';

/** The operands in the order of the kernel's records. */
const ROLES: readonly MatrixScanRole[] = ['q', 'k', 'v', 'decay', 'a', 'b'];

/**
 * The matrix scan in float32, four values of a head at a time. The state is the op's own section, in its place:
 * nothing to save and nothing to load. Absent operands read a one: a decay of 1, and a, b that nobody looks at.
 * Undefined for endless sums, whose state is float64.
 */
export function planMatrixScan(request: KernelRequest): KernelPlan | undefined {
  const { types, constants } = request;
  const { heads, keys, values, rank, readOut, endless, roles } = request.attributes as MatrixScanAttributes;
  if (endless) return undefined;
  const { operand } = request.prepared as MatrixScanPrepared;
  const bytes = new Bytes();
  bytes.take(at.MATRIX_BYTES);
  const one = bytes.take(at.VECTOR);
  const offsets = ROLES.map(() => bytes.take(4 * heads));
  const copies = ROLES.map((role) => {
    const values = operand[role] && constants[operand[role].input];
    return values ? bytes.take(4 * values.length) : -1;
  });

  const varies = (role: MatrixScanRole): boolean => {
    const found = operand[role];
    return found !== undefined && constants[found.input] === undefined;
  };
  const sourceOf = (i: number): number => at.MATRIX_OPERANDS + i * at.MATRIX_OPERAND_BYTES + at.MATRIX_SOURCE;

  return {
    bytes: bytes.size,
    pack(arena, base, { state }) {
      const put = writerAt(arena, base);
      new Float32Array(arena.buffer, base + one, at.LANES).fill(1);
      put(at.MATRIX_HEADS, heads);
      put(at.MATRIX_KEYS, keys);
      put(at.MATRIX_VALUES, values);
      put(at.MATRIX_RANK, rank);
      put(at.MATRIX_BEFORE, readOut === 'before' ? 1 : 0);
      put(at.MATRIX_DELTA, roles.includes('a') ? 1 : 0);
      put(at.MATRIX_STATE, state['S']!.byteOffset);
      put(at.MATRIX_DECAY_STEP, 4 * (operand.decay?.step ?? 0));
      ROLES.forEach((role, i) => {
        const record = at.MATRIX_OPERANDS + i * at.MATRIX_OPERAND_BYTES;
        const found = operand[role];
        put(record + at.MATRIX_OFFSETS, base + offsets[i]!);
        put(sourceOf(i), base + one);
        if (found === undefined) return;
        for (let h = 0; h < heads; h++) put(offsets[i]! + 4 * h, 4 * found.offset[h]!);
        const constant = constants[found.input];
        if (constant) {
          new Float32Array(arena.buffer, base + copies[i]!, constant.length).set(constant);
          put(sourceOf(i), base + copies[i]!);
        } else {
          put(record + at.MATRIX_STEP, 4 * sizeOf(types[found.input]!.shape));
        }
      });
    },
    bind: (arena, base, node) =>
      kernelOf(
        arena,
        {
          kernel: at.KERNEL_MATRIX_SCAN,
          descriptor: base,
          inputs: ROLES.flatMap((role, i) =>
            varies(role) ? [{ input: operand[role]!.input, field: base + sourceOf(i) }] : [],
          ),
          output: base + at.MATRIX_OUTPUT,
          period: at.MATRIX_FLUSH,
        },
        node,
      ),
  };
}
