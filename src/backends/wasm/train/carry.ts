import { isConstant, sizeOf, type FloatArray, type Graph, type Node } from '../../../signal/index.ts';
import type { TrainKernel } from './kernel.ts';
import type { TrainingMemory } from './module.ts';
import type { Place, SequencePlaces } from './sequence-places.ts';
import type { Stage } from './stages.ts';

/**
 * What a sequence leaves to the one that goes on where it ended, by names of its own: `state:<node>` of an op that
 * remembers, `past:<node>` of a signal whose last frames a window will look back at.
 */
export type Carried = ReadonlyMap<string, FloatArray>;

/** Frames that the windows of a node's readers look back, before the frames of their own firing. */
export function lookBack(graph: Graph, node: Node): number {
  let frames = 0;
  for (const reader of graph.nodes) {
    reader.inputs.forEach((input, i) => {
      if (input === node && reader.timing) frames = Math.max(frames, reader.timing.windows[i]!.left);
    });
  }
  return frames;
}

/**
 * Ops whose past can't be carried on: those that need the end of their input or look ahead, and those without a state
 * that a sequence could begin from. By path and name, for messages.
 */
export function notCarried(stages: readonly Stage[]): string[] {
  return stages.flatMap(({ steps }) =>
    steps
      .filter(({ node, plan }) => {
        const { windows, stride, atEnd } = node.timing!;
        const keepsPace = node.inputs.every((input, i) => {
          const { size, left, right } = windows[i]!;
          return isConstant(input) || (left >= 0 && right === 0 && size - left >= 1 && size - left <= stride);
        });
        return !plan.carries || atEnd === true || !keepsPace;
      })
      .map(({ node }) => `${node.path} (${node.source.kind === 'op' ? node.source.op.name : ''})`),
  );
}

/** One sequence's part in it: begins from what another left, and notes what it leaves itself. */
export class Carry {
  readonly #from: Carried | undefined;
  readonly #left = new Map<string, FloatArray>();
  readonly #depths: ReadonlyMap<Node, number>;

  constructor(graph: Graph, from: Carried | undefined) {
    this.#from = from;
    this.#depths = new Map(graph.nodes.map((node) => [node, isConstant(node) ? 0 : lookBack(graph, node)]));
  }

  get left(): Carried {
    return this.#left;
  }

  begin(node: Node, kernel: TrainKernel): void {
    kernel.state?.begin(this.#from?.get(`state:${node.id}`));
  }

  /** Puts the frames before frame 0, and notes the last ones: once the signal is whole. */
  pass(node: Node, place: Place, base: number, memory: TrainingMemory, places: SequencePlaces): void {
    const size = this.#depths.get(node)! * sizeOf(node.shape);
    if (size === 0) return;
    const frame0 = (base + place.frame0) / 4;
    const past = this.#from?.get(`past:${node.id}`);
    if (past) memory.f32.set(past, frame0 - size);
    const end = frame0 + places.frames.get(node)! * place.width;
    this.#left.set(`past:${node.id}`, memory.f32.slice(end - size, end));
  }

  end(node: Node, kernel: TrainKernel): void {
    if (kernel.state) this.#left.set(`state:${node.id}`, kernel.state.end());
  }
}
