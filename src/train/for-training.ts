import { dropoutOp, mul } from '../ops/index.ts';
import { Trace, rewrite, sizeOf, type Graph, type Node, type Source } from '../signal/index.ts';
import { framesOver } from './frames.ts';
import { MASK } from './masks.ts';
import { randomBits } from './random-bits.ts';
import type { Batch } from './session.ts';

/** A graph that is trained: `graph` is what a backend runs, with masks as further inputs. */
export interface TrainingGraph {
  readonly graph: Graph;
  readonly masks: readonly DropoutMask[];
}

/** A mask that is multiplied with a signal: 0, or 1/(1 − rate). */
export interface DropoutMask {
  /** The input port, `dropout:<path of the op>`. */
  readonly port: string;
  readonly rate: number;
  /** One draw a channel for the whole sequence. */
  readonly tied: boolean;
  /** Numbers in a frame. */
  readonly width: number;
  /** Frames that the port needs when the model's inputs have `frames`. */
  readonly framesFor: (frames: number) => number;
}

/**
 * The graph in training: every dropout becomes a product with an input port of its own, at the rate of its signal.
 * Masks are inputs, so that backends need no random numbers, and what is drawn does not depend on who computes.
 * `drawMasks` fills the ports. Statistics over a batch are not among the transforms: norms here look at one frame, and
 * a `batchNorm` that was imported keeps the statistics it came with.
 *
 * @example
 * const { graph, masks } = forTraining(traceModel(model));
 */
export function forTraining(graph: Graph): TrainingGraph {
  const masks: DropoutMask[] = [];
  let id = 1 + Math.max(-1, ...graph.nodes.map((node) => node.id));
  const count = framesOver(graph);
  const trained = rewrite(graph, (node, [x]) => {
    if (node.source.kind !== 'op' || node.source.op !== dropoutOp) return [node];
    const port = `${MASK}${node.path}`;
    masks.push({
      port,
      ...(node.source.attributes as { readonly rate: number; readonly tied: boolean }),
      width: sizeOf(node.shape),
      framesFor: (frames) => count(node, frames),
    });
    const mask: Node = {
      id: id++,
      path: `input.${port}`,
      source: { kind: 'input', port },
      shape: node.shape,
      rate: node.rate,
      inputs: [],
    };
    const { source, timing } = productOf(node);
    return [mask, { ...node, source, inputs: [x!, mask], ...(timing ? { timing } : {}) }];
  });
  return { graph: trained, masks };
}

/** The node that multiplies two signals of this shape. */
function productOf({ shape }: Node): { readonly source: Source; readonly timing: Node['timing'] } {
  const trace = new Trace();
  const { source, timing } = mul(trace.input('x', shape), trace.input('mask', shape)).node;
  return { source, timing };
}

/** Which draws: those of a step of a run, so that one that is resumed draws as an unbroken one. */
export interface DrawAt {
  readonly seed: number;
  readonly step: number;
}

/**
 * A batch with its masks: drawn by (seed, step, item, place in the graph, frame, channel), or without `at` all 1, as
 * for validation. What stands behind a sequence's end changes no draw. A mask that is the same at every frame, tied or
 * all 1, is one frame an item.
 */
export function drawMasks(masks: readonly DropoutMask[], batch: Batch, at?: DrawAt): Batch {
  if (masks.length === 0) return batch;
  const inputs: Record<string, Float32Array> = { ...batch.inputs };
  for (const mask of masks) {
    const still = mask.tied || at === undefined;
    const size = (still ? 1 : mask.framesFor(batch.frames)) * mask.width;
    const data = new Float32Array(batch.items * size);
    if (at === undefined) data.fill(1);
    else {
      for (let item = 0; item < batch.items; item++)
        drawOne(
          mask,
          randomBits(at.seed, at.step, item, mask.port),
          data.subarray(item * size, (item + 1) * size),
        );
    }
    inputs[mask.port] = data;
  }
  return { ...batch, inputs };
}

function drawOne({ rate }: DropoutMask, bits: { at(index: number): number }, data: Float32Array): void {
  const least = rate * 2 ** 32;
  const kept = 1 / (1 - rate);
  for (let i = 0; i < data.length; i++) data[i] = bits.at(i) < least ? 0 : kept;
}
