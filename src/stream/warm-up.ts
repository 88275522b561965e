import type { FloatArray } from '../signal/index.ts';
import type { Block } from './ports.ts';
import type { Stream } from './stream.ts';

/** Milliseconds that the engine gets to optimise code that it has not run yet; kernels are shared by all streams. */
const BUDGET = 50;
const MOST_ROUNDS = 256;
/** Blocks of one frame in a round. */
const SINGLE_FRAMES = 64;

/** Kernels that have run in this process often enough, by backend and number. */
const warm = new Set<string>();

/**
 * Runs a fresh stream on silence until the engine has had time to optimise its kernels, then resets it: engines compile
 * WebAssembly quickly and badly first, and again once a function has proved to matter, so that the first blocks would
 * cost ten times what later ones do. Does nothing where all of a model's kernels are warm already.
 */
export function warmUp(stream: Stream, passFrames: number): void {
  const { executor, inputs, outputs } = stream.lane;
  const cold = executor.nodes.flatMap(({ kernel }) => {
    const name = `${executor.program.backend.name} ${kernel?.call?.kernel}`;
    return kernel?.call === undefined || warm.has(name) ? [] : [name];
  });
  if (cold.length === 0) return;
  // As callers give them: an array where there is one port.
  const blockOf = (arrays: Record<string, FloatArray>): Block => {
    const all = Object.values(arrays);
    return all.length === 1 ? all[0]! : arrays;
  };
  const silence = (frames: number): Block =>
    blockOf(
      Object.fromEntries(
        inputs.ports.map(({ name, node }) => [
          name,
          new Float32Array(frames * node.step.width).fill(name === 'dt' ? 1 : 0),
        ]),
      ),
    );
  const most = executor.program.schedule.maxEmitted(passFrames);
  const output = blockOf(
    Object.fromEntries(
      outputs.ports.map(({ name, node: { step } }) => [
        name,
        new Float32Array(most[step.node.id]! * step.width),
      ]),
    ),
  );
  // Callers have sizes of their own, and the second block of a size goes another way. Last comes what an audio callback
  // brings, so that its view is there.
  const sizes = [passFrames, passFrames >> 2, passFrames >> 1].flatMap((size) => [size, size]);
  const blocks = sizes.map(silence);
  const frame = silence(1);
  const start = Date.now();
  const isOver = (): boolean => Date.now() - start >= BUDGET;
  for (let round = 0; round < MOST_ROUNDS && !isOver(); round++) {
    for (let k = 0; k < SINGLE_FRAMES && !isOver(); k++) stream.process(frame, output);
    for (const block of blocks) stream.process(block, output);
    // Not once at the end: what the engine takes for constant until then would have to be optimised anew.
    stream.reset();
    outputs.forgetSizes();
  }
  for (const name of cold) warm.add(name);
}
