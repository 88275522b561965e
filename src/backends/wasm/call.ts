import type { Arena, BoundNode, Kernel, KernelCall } from '../backend.ts';
import { addressOf } from './address.ts';
import type { WasmArena } from './kernels.ts';

/** Writes 32-bit words of a kernel's own bytes: `put(field, value)` at `base + field`. */
export function writerAt({ buffer }: Arena, base: number): (field: number, value: number) => void {
  const words = new Uint32Array(buffer);
  return (field, value) => {
    words[(base + field) / 4] = value;
  };
}

/**
 * A kernel of a call: what the plan does in memory, for whoever runs a kernel by itself.
 *
 * @param rest how it saves and loads its state, where that is a layout of its own.
 */
export function kernelOf(
  arena: Arena,
  call: KernelCall,
  { inputs, output }: BoundNode,
  rest: Omit<Kernel, 'run' | 'call'> = {},
): Kernel {
  const { buffer, kernels } = arena as WasmArena;
  const words = new Uint32Array(buffer);
  const doubles = new Float64Array(buffer);
  const { kernel, descriptor, times = 1, period = 1, first: firstAt } = call;
  return {
    ...rest,
    call,
    run(firings, first) {
      for (const { input, field } of call.inputs) words[field / 4] = addressOf(inputs[input]!);
      words[call.output / 4] = addressOf(output);
      if (firstAt !== undefined) doubles[firstAt / 8] = first;
      kernels.runKernel(kernel, descriptor, firings * times, first % period);
    },
  };
}
