import { isConstant, sizeOf, type Sequence } from '../../../../signal/index.ts';
import { stepSequence } from '../../../reference/sequence.ts';
import type { TrainPlan, TrainRequest } from '../kernel.ts';

export interface InPlace {
  /** Frame by frame, whatever the number of the frame. */
  readonly local?: boolean;
  /** What the op's adjoint reads of the inputs' values, and whether it reads the output. */
  readonly reads?: readonly number[];
  readonly readsOutput?: boolean;
  readonly costly?: boolean;
  /** What it does does not depend on the number of the frame, though it looks at several. */
  readonly countsNothing?: boolean;
}

/**
 * An op whose reference does little a number: its own `step` and `adjoint` on the signals where they stand, in float32,
 * without a copy; sums for constants in float64.
 */
export const planInPlace =
  ({ local = false, reads = [], readsOutput = false, costly = false, countsNothing = false }: InPlace) =>
  ({ op, attributes, types, output }: TrainRequest): TrainPlan => {
    const width = sizeOf(output.shape);
    return {
      local,
      native: true,
      carries: op.state === undefined && op.whole !== true && (local || countsNothing),
      costly,
      reads: { inputs: reads, output: readsOutput },
      fixed: 0,
      bind(memory) {
        let constants: readonly (Float64Array | undefined)[] = [];
        let prepared: unknown;
        const sequence = (address: number, size: number): Sequence => ({
          // The forms of ops read and write either precision; their types name the reference's.
          data: memory.f32 as unknown as Float64Array,
          origin: address / 4,
          width: size,
        });
        const input = (i: number, address: number): Sequence => {
          const size = sizeOf(types[i]!.shape);
          return isConstant(types[i]!)
            ? { data: constants[i]!, origin: 0, width: size }
            : sequence(address, size);
        };
        return {
          load(values) {
            constants = values;
            prepared = op.prepare?.({ attributes, types, constants, precision: 'float64' });
          },
          forward({ inputs, output: to, firings, frames }) {
            stepSequence(
              { op },
              {
                attributes,
                types,
                inputs: inputs.map((address, i) => input(i, address)),
                output: sequence(to, width),
                prepared,
                firings,
                frames,
              },
            );
          },
          back({ inputs, output: to, dInputs, dOutput, firings, frames }) {
            op.adjoint({
              attributes,
              types,
              inputs: inputs.map((address, i) => input(i, address)),
              output: sequence(to, width),
              prepared,
              firings,
              frames,
              dOutput: sequence(dOutput, width),
              dInputs: dInputs.map((address, i): Sequence | null => {
                if (address === 0) return null;
                const size = sizeOf(types[i]!.shape);
                return isConstant(types[i]!)
                  ? { data: memory.f64, origin: address / 8, width: size }
                  : sequence(address, size);
              }),
            });
          },
        };
      },
    };
  };
