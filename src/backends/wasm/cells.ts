import { sizeOf } from '../../signal/index.ts';
import type { KernelPlan, KernelRequest } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';
import { Bytes } from './scan.ts';

const padded = (count: number, to: number): number => Math.ceil(count / to) * to;

/** Gates of the cell that share one product; in float32, packed in panels of 16 rows, columns side by side. */
interface Block {
  readonly gates: readonly number[];
  readonly panels: number;
}

/** `gates` gates of `units` rows each: every gate begins with a vector of its own. */
function blockOf(gates: readonly number[], units: number): Block {
  return { gates, panels: padded(gates.length * padded(units, at.LANES), at.PANEL) / at.PANEL };
}

/** Writes a block's weights and biases; gives the elements behind them. */
function packBlock(
  { gates, panels }: Block,
  units: number,
  floats: Float32Array,
  [weightAt, biasAt]: readonly [number, number],
  weight: Float64Array,
  bias: Float64Array | undefined,
): readonly [number, number] {
  const gateRows = padded(units, at.LANES);
  gates.forEach((gate, g) => {
    for (let i = 0; i < units; i++) {
      const row = g * gateRows + i;
      const panel = weightAt + Math.floor(row / at.PANEL) * at.PANEL * units + (row % at.PANEL);
      for (let j = 0; j < units; j++) floats[panel + j * at.PANEL] = weight[(gate * units + i) * units + j]!;
      if (bias) floats[biasAt + row] = bias[gate * units + i]!;
    }
  });
  return [weightAt + panels * at.PANEL * units, biasAt + panels * at.PANEL];
}

interface Cell {
  readonly kernel: number;
  readonly blocks: readonly Block[];
  readonly bias: number;
  readonly h0: number;
  readonly c0: number;
  readonly resetBefore: boolean;
}

function planCell({ constants, types }: KernelRequest, cell: Cell): KernelPlan {
  const units = types[1]!.shape[1]!;
  const { blocks, kernel } = cell;
  const panels = blocks.reduce((sum, block) => sum + block.panels, 0);
  const gateRows = padded(units, at.LANES);
  const initial = [cell.h0, cell.c0].map((input) => (input < 0 ? undefined : constants[input]));
  const bytes = new Bytes();
  bytes.take(at.CELL_BYTES);
  const weightsAt = bytes.take(4 * panels * at.PANEL * units);
  const biasAt = bytes.take(4 * panels * at.PANEL);
  const scratchAt = bytes.take(4 * (panels * at.PANEL + gateRows));
  const initialAt = initial.map((values) => (values ? bytes.take(4 * values.length) : 0));
  return {
    // The last vectors of gates and states may reach beyond them, and must not reach beyond the memory.
    bytes: bytes.size + at.VECTOR,
    pack(arena, base, { state }) {
      const put = writerAt(arena, base);
      const floats = new Float32Array(arena.buffer);
      put(at.CELL_UNITS, units);
      put(at.CELL_PADDED, gateRows);
      put(at.CELL_WEIGHTS, base + weightsAt);
      put(at.CELL_BIAS, base + biasAt);
      put(at.CELL_PANELS, blocks[0]!.panels);
      put(at.CELL_MORE_PANELS, blocks[1]?.panels ?? 0);
      put(at.CELL_SCRATCH, base + scratchAt);
      put(at.CELL_RESET_BEFORE, cell.resetBefore ? 1 : 0);
      put(at.CELL_H, state['h']!.byteOffset);
      if (state['c']) put(at.CELL_C, state['c'].byteOffset);
      if (state['started']) put(at.CELL_STARTED, state['started'].byteOffset);
      [at.CELL_H0, at.CELL_C0].forEach((field, i) => {
        if (!initial[i]) return;
        put(field, base + initialAt[i]!);
        floats.set(initial[i], (base + initialAt[i]!) / 4);
      });
      const bias = cell.bias < 0 ? undefined : constants[cell.bias];
      blocks.reduce((places, block) => packBlock(block, units, floats, places, constants[1]!, bias), [
        (base + weightsAt) / 4,
        (base + biasAt) / 4,
      ] as readonly [number, number]);
    },
    bind: (arena, base, node) =>
      kernelOf(
        arena,
        {
          kernel,
          descriptor: base,
          inputs: [{ input: 0, field: base + at.CELL_INPUT }],
          output: base + at.CELL_OUTPUT,
        },
        node,
      ),
  };
}

/** Long short-term memory: gates i, f, g, o in one product. Its state is the op's own sections. */
export function planLstm(request: KernelRequest): KernelPlan | undefined {
  const { bias, initial } = request.attributes as { readonly bias: boolean; readonly initial: boolean };
  const units = request.types[1]!.shape[1]!;
  if (sizeOf(request.types[0]!.shape) === 0) return undefined;
  const rest = bias ? 3 : 2;
  return planCell(request, {
    kernel: at.KERNEL_LSTM,
    blocks: [blockOf([0, 1, 2, 3], units)],
    bias: bias ? 2 : -1,
    h0: initial ? rest : -1,
    c0: initial ? rest + 1 : -1,
    resetBefore: false,
  });
}

/** Gated recurrent unit: r and z in one product, n in another. */
export function planGru(request: KernelRequest): KernelPlan | undefined {
  const { bias, initial, reset } = request.attributes as {
    readonly bias: boolean;
    readonly initial: boolean;
    readonly reset: 'after' | 'before';
  };
  const units = request.types[1]!.shape[1]!;
  if (units === 0) return undefined;
  return planCell(request, {
    kernel: at.KERNEL_GRU,
    blocks: [blockOf([0, 1], units), blockOf([2], units)],
    bias: bias ? 2 : -1,
    h0: initial ? (bias ? 3 : 2) : -1,
    c0: -1,
    resetBefore: reset === 'before',
  });
}
