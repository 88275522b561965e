import type { Arena, Batch, BatchLayout } from '../backend.ts';
import { writerAt } from './call.ts';
import * as at from './layout.ts';
import type { WasmKernels } from './kernels.ts';

/** Bytes of a bank's descriptor with so many kept nodes, inputs and outputs together. */
export const batchBytes = (records: number): number => at.BANK_BYTES + records * at.BANK_RECORD_BYTES;

/** Writes the descriptor of a bank, and gives what runs it. */
export function batchOf(arena: Arena, kernels: WasmKernels, layout: BatchLayout): Batch {
  const { at: base, kept, inputs, outputs, memory } = layout;
  const put = writerAt(arena, base);
  put(at.BANK_PLAN, layout.walkAt);
  put(at.BANK_PASS, layout.passFrames);
  put(at.BANK_IDS, layout.ids);
  put(at.BANK_WRITTEN, layout.written);
  put(at.BANK_SLOTS, layout.slots);
  put(at.BANK_SLOT_BYTES, layout.slotBytes);
  put(at.BANK_MEMORY, memory.from);
  put(at.BANK_MEMORY_BYTES, memory.to - memory.from);
  put(at.BANK_HOLDS, layout.holds ? 1 : 0);
  let next = at.BANK_BYTES;
  const record = (node: number, offset: number, first: number): void => {
    put(next + at.BANK_NODE, layout.walkAt + at.PLAN_BYTES + node * at.NODE_BYTES);
    put(next + at.BANK_OFFSET, offset);
    put(next + at.BANK_FIRST, first);
    next += at.BANK_RECORD_BYTES;
  };
  const table = (where: number, count: number): void => {
    put(where, base + next);
    put(where + 4, count);
  };
  table(at.BANK_KEPT, kept.length);
  for (const { node, offset } of kept) record(node, offset, 0);
  table(at.BANK_INPUTS, inputs.length);
  for (const { node, frames, held } of inputs) record(node, held, frames);
  table(at.BANK_OUTPUTS, outputs.length);
  for (const { node, frames } of outputs) record(node, 0, frames);
  const words = new Uint32Array(arena.buffer);
  const nextAt =
    (base + at.BANK_BYTES + (kept.length + inputs.length) * at.BANK_RECORD_BYTES + at.BANK_NEXT) / 4;
  return {
    run: (count, frames) => kernels.bank(base, count, frames),
    written: (output) => words[nextAt + (output * at.BANK_RECORD_BYTES) / 4]! - outputs[output]!.frames,
  };
}
