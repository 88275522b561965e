import type { MatrixScanAttributes, MatrixScanPrepared, MatrixScanRole } from '../../ops/matrix-scan-plan.ts';
import { sizeOf } from '../../signal/index.ts';
import type { KernelPlan, KernelRequest } from '../backend.ts';
import * as at from './layout.ts';
import type { WasmArena } from './module.ts';
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

  return {
    bytes: bytes.size,
    bind(arena, base, { inputs, output, state }) {
      const { kernels, buffer } = arena as WasmArena;
      const words = new Uint32Array(buffer);
      const put = (field: number, value: number): void => {
        words[(base + field) / 4] = value;
      };
      new Float32Array(buffer, base + one, at.LANES).fill(1);
      put(at.MATRIX_HEADS, heads);
      put(at.MATRIX_KEYS, keys);
      put(at.MATRIX_VALUES, values);
      put(at.MATRIX_RANK, rank);
      put(at.MATRIX_BEFORE, readOut === 'before' ? 1 : 0);
      put(at.MATRIX_DELTA, roles.includes('a') ? 1 : 0);
      put(at.MATRIX_STATE, state['S']!.byteOffset);
      put(at.MATRIX_DECAY_STEP, 4 * (operand.decay?.step ?? 0));

      const varying: { readonly input: number; readonly field: number }[] = [];
      ROLES.forEach((role, i) => {
        const record = at.MATRIX_OPERANDS + i * at.MATRIX_OPERAND_BYTES;
        const found = operand[role];
        put(record + at.MATRIX_OFFSETS, base + offsets[i]!);
        put(record + at.MATRIX_SOURCE, base + one);
        if (found === undefined) return;
        for (let h = 0; h < heads; h++) put(offsets[i]! + 4 * h, 4 * found.offset[h]!);
        const constant = constants[found.input];
        if (constant) {
          new Float32Array(buffer, base + copies[i]!, constant.length).set(constant);
          put(record + at.MATRIX_SOURCE, base + copies[i]!);
        } else {
          put(record + at.MATRIX_STEP, 4 * sizeOf(types[found.input]!.shape));
          varying.push({ input: found.input, field: (base + record + at.MATRIX_SOURCE) / 4 });
        }
      });

      return {
        run(firings, first) {
          for (let i = 0; i < varying.length; i++) {
            const { data, at: from } = inputs[varying[i]!.input]!;
            words[varying[i]!.field] = data.byteOffset + 4 * from;
          }
          words[(base + at.MATRIX_OUTPUT) / 4] = output.data.byteOffset + 4 * output.at;
          kernels.matrixScan(base, firings, first % at.MATRIX_FLUSH);
        },
      };
    },
  };
}
