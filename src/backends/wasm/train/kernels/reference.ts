import { hasMemory, isConstant, sizeOf, type Sequence, type SequenceCall } from '../../../../signal/index.ts';
import { stepSequence } from '../../../reference/sequence.ts';
import type { ForwardCall, TrainPlan, TrainRequest } from '../kernel.ts';

/** An op without a kernel: the reference's `step` (or `long`) and `adjoint` on float64 copies. Slow, and always right. */
export function planReference({ op, attributes, types, output, timing }: TrainRequest): TrainPlan {
  const width = sizeOf(output.shape);
  return {
    local: false,
    native: false,
    carries: !hasMemory(op, attributes, types),
    costly: true,
    reads: { inputs: types.flatMap((type, i) => (isConstant(type) ? [] : [i])), output: true },
    fixed: 0,
    bind(memory) {
      let constants: readonly (Float64Array | undefined)[] = [];
      let prepared: unknown;
      const sequenceOf = (i: number, address: number, count: number): Sequence => {
        const size = sizeOf(types[i]!.shape);
        if (isConstant(types[i]!)) return { data: constants[i]!, origin: 0, width: size };
        const { left, right } = timing.windows[i]!;
        const [before, behind] = [Math.max(0, left), Math.max(0, right)];
        const data = new Float64Array((before + count + behind) * size);
        const from = address / 4;
        data.set(memory.f32.subarray(from, from + count * size), before * size);
        return { data, origin: before * size, width: size };
      };
      const callOf = ({ inputs, firings, frames }: ForwardCall): SequenceCall<unknown> => ({
        attributes,
        types,
        inputs: inputs.map((address, i) => sequenceOf(i, address, frames[i]!)),
        output: { data: new Float64Array(firings * timing.emit * width), origin: 0, width },
        prepared,
        firings,
        frames,
      });
      return {
        load(values) {
          constants = values;
          prepared = op.prepare?.({ attributes, types, constants, precision: 'float64' });
        },
        forward(call) {
          const sequence = callOf(call);
          if (op.long?.(sequence) !== true) stepSequence({ op }, sequence);
          memory.f32.set(sequence.output.data, call.output / 4);
        },
        back(call) {
          const { dInputs, dOutput } = call;
          const sequence = callOf(call);
          const size = sequence.output.data.length;
          sequence.output.data.set(memory.f32.subarray(call.output / 4, call.output / 4 + size));
          const gradient = Float64Array.from(memory.f32.subarray(dOutput / 4, dOutput / 4 + size));
          const gradients = sequence.inputs.map(({ data, origin, width: step }, i) =>
            dInputs[i] === 0 ? null : { data: new Float64Array(data.length), origin, width: step },
          );
          op.adjoint({
            ...sequence,
            dOutput: { data: gradient, origin: 0, width },
            dInputs: gradients,
          });
          gradients.forEach((found, i) => {
            if (found === null) return;
            const constant = isConstant(types[i]!);
            const count = constant ? found.data.length : call.frames[i]! * found.width;
            const view = constant ? memory.f64 : memory.f32;
            const to = dInputs[i]! / view.BYTES_PER_ELEMENT;
            for (let j = 0; j < count; j++) view[to + j]! += found.data[found.origin + j]!;
          });
        },
      };
    },
  };
}
