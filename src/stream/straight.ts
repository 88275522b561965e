import type { FloatArray } from '../signal/index.ts';
import type { Executor } from './executor.ts';
import {
  bringOut,
  copyNumbers,
  FEW,
  isArray,
  type Block,
  type InputPorts,
  type OutputPorts,
} from './ports.ts';

/**
 * The usual block through a lane by the shortest way: one array in and one out, every op once a frame, no frame kept
 * for later. One call into the arena checks the numbers, counts the frames and runs all ops.
 */
export class Straight {
  readonly #input: InputPorts['ports'][number];
  readonly #output: OutputPorts['ports'][number];
  readonly #most: number;
  readonly #pass: (frames: number) => boolean;
  /** Where frames go in: the same place whenever the input has not ended. */
  readonly #data: FloatArray;
  // Of the latest block, since blocks come in one size: numbers and frames in, numbers out and where they stand.
  #length = -1;
  #frames = 0;
  #size = 0;
  #came: FloatArray | undefined;

  private constructor(
    input: InputPorts['ports'][number],
    output: OutputPorts['ports'][number],
    most: number,
    pass: (frames: number) => boolean,
  ) {
    this.#input = input;
    this.#output = output;
    this.#most = most;
    this.#pass = pass;
    this.#data = input.node.data;
  }

  /** Undefined where the arena has no such way through this program. */
  static through(executor: Executor, inputs: InputPorts, outputs: OutputPorts): Straight | undefined {
    const [input] = inputs.ports;
    const [output] = outputs.ports;
    if (inputs.ports.length !== 1 || outputs.ports.length !== 1) return undefined;
    const pass = executor.straight(input!.node, output!.node);
    return pass && new Straight(input!, output!, executor.program.passFrames, pass);
  }

  /**
   * The frames of a block, which came out as many; −1 where this is not its way, be it that something is wrong with
   * it: nothing has been consumed then. The stream must not have ended.
   */
  take(input: Block, output: Block): number {
    if (!(isArray(input) && isArray(output))) return -1;
    const { length } = input;
    if (length !== this.#length && !this.#expect(length)) return -1;
    const frames = this.#frames;
    const size = this.#size;
    if (output.length < size) return -1;
    if (length > FEW) this.#data.set(input);
    else copyNumbers(input, 0, this.#data, 0, length);
    if (!this.#pass(frames)) return -1;
    if (this.#came !== undefined) output.set(this.#came);
    else this.#bring(output);
    return frames;
  }

  /** Gets ready for blocks of so many numbers; false where they go another way. */
  #expect(length: number): boolean {
    const count = length / this.#input.node.step.width;
    if (!Number.isInteger(count) || count > this.#most) return false;
    this.#length = length;
    this.#frames = count;
    this.#size = count * this.#output.node.step.width;
    this.#came = undefined;
    return true;
  }

  /** The first block of a size, and all where no view is to be had. */
  #bring(output: FloatArray): void {
    const port = this.#output;
    const size = this.#size;
    bringOut(port, 0, size, output, 0);
    if (size > FEW && port.view.length === size && port.viewOf === port.node.data) this.#came = port.view;
  }
}
