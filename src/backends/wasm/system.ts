import { sizeOf } from '../../signal/index.ts';
import type { Arena, KernelPlan, KernelRequest } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';
import { Bytes } from './scan.ts';

interface Matrices {
  readonly A: Float64Array;
  readonly B: Float64Array;
  readonly C: Float64Array;
  readonly D: Float64Array;
}

/** Rows in a vector of float64. */
const PAIR = 2;

/** A dense linear system (`lti`, filters) in float64, as one product a frame; its state is the op's own section. */
export function planSystem({ types, prepared }: KernelRequest): KernelPlan | undefined {
  const { A, B, C, D } = prepared as Matrices;
  const inputs = sizeOf(types[0]!.shape);
  const states = types[1]!.shape[0]!;
  const outputs = types[3]!.shape[0]!;
  const columns = states + inputs;
  if (columns === 0 || outputs === 0) return undefined;
  const outputVectors = Math.ceil(outputs / PAIR);
  const stateVectors = Math.ceil(states / PAIR);
  const bytes = new Bytes();
  bytes.take(at.SYSTEM_BYTES);
  const matrixAt = bytes.take(at.VECTOR * (outputVectors + stateVectors) * columns);
  const scratchAt = bytes.take(8 * (PAIR * Math.ceil(columns / PAIR) + PAIR * stateVectors));
  const fill = (doubles: Float64Array): void => {
    const rows = PAIR * (outputVectors + stateVectors);
    for (let c = 0; c < columns; c++) {
      const isState = c < states;
      const row = c * rows;
      for (let i = 0; i < outputs; i++)
        doubles[row + i] = isState ? C[i * states + c]! : D[i * inputs + c - states]!;
      for (let i = 0; i < states; i++)
        doubles[row + PAIR * outputVectors + i] = isState ? A[i * states + c]! : B[i * inputs + c - states]!;
    }
  };
  const matrixIn = (arena: Arena, base: number): Float64Array =>
    new Float64Array(arena.buffer, base + matrixAt, PAIR * (outputVectors + stateVectors) * columns);
  return {
    bytes: bytes.size,
    pack(arena, base, { state }) {
      const put = writerAt(arena, base);
      put(at.SYSTEM_STATES, states);
      put(at.SYSTEM_INPUTS, inputs);
      put(at.SYSTEM_OUTPUTS, outputs);
      put(at.SYSTEM_OUTPUT_VECTORS, outputVectors);
      put(at.SYSTEM_STATE_VECTORS, stateVectors);
      put(at.SYSTEM_MATRIX, base + matrixAt);
      put(at.SYSTEM_STATE, state['x']!.byteOffset);
      put(at.SYSTEM_ROUNDED, state['x'] instanceof Float32Array ? 1 : 0);
      put(at.SYSTEM_SCRATCH, base + scratchAt);
      fill(matrixIn(arena, base));
    },
    bind(arena, base, node) {
      const matrix = matrixIn(arena, base);
      return kernelOf(
        arena,
        {
          kernel: at.KERNEL_SYSTEM,
          descriptor: base,
          inputs: [{ input: 0, field: base + at.SYSTEM_INPUT }],
          output: base + at.SYSTEM_OUTPUT,
        },
        node,
        { retune: () => fill(matrix) },
      );
    },
  };
}
