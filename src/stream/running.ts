import type { Kernel } from '../backends/backend.ts';
import type { FloatArray, Frame } from '../signal/index.ts';
import type { Step } from './program.ts';

/** A node of a running stream: its buffer and how far it is. The numbers stand in the arena, for whoever walks there. */
export class Running {
  readonly step: Step;
  data: FloatArray;
  /** Where the node reads from, in the order of its inputs; undefined for a constant. */
  readonly sources: readonly (Running | undefined)[];
  readonly inputs: readonly Frame[];
  readonly output: Frame;
  readonly state: Readonly<Record<string, FloatArray>>;
  kernel: Kernel | undefined;
  /** Who reads this node, and as which of its inputs. */
  readonly readers: { readonly node: Running; readonly input: number }[] = [];
  /** Nothing is kept from pass to pass: see `Step.transient`. */
  isTransient: boolean;
  readonly #counts: Float64Array;
  readonly #marks: Float64Array;

  constructor(
    step: Step,
    buffer: ArrayBuffer,
    parts: Pick<Running, 'data' | 'sources' | 'inputs' | 'output' | 'state'>,
  ) {
    this.step = step;
    this.data = parts.data;
    this.sources = parts.sources;
    this.inputs = parts.inputs;
    this.output = parts.output;
    this.state = parts.state;
    this.isTransient = step.transient;
    this.#counts = new Float64Array(buffer, step.counts, 2);
    this.#marks = new Float64Array(buffer, step.marks, 3);
  }

  /** Frames emitted since the stream began. */
  get produced(): number {
    return this.#counts[0]!;
  }
  set produced(frames: number) {
    this.#counts[0] = frames;
  }

  get fired(): number {
    return this.#counts[1]!;
  }
  set fired(firings: number) {
    this.#counts[1] = firings;
  }

  /** Number of the frame that stands at the buffer's start; negative while the zeros before frame 0 do. */
  get base(): number {
    return this.#marks[0]!;
  }
  set base(frame: number) {
    this.#marks[0] = frame;
  }

  /** Frames taken by whoever reads an output port; Infinity where the node is none. */
  get drained(): number {
    return this.#marks[1]!;
  }
  set drained(frames: number) {
    this.#marks[1] = frames;
  }

  /** Nothing more will come: the zeros behind the last frame are in place. */
  get ended(): boolean {
    return this.#marks[2] !== 0;
  }
  set ended(value: boolean) {
    this.#marks[2] = value ? 1 : 0;
  }
}
