/**
 * Does a slow mode drift? One lane of a diagonal scan with |Ā| = 1 − 1e-6 over a very long stream, of noise and of a
 * constant, against the same recurrence with the exact Ā in float64: at most 5e-5 of the peak, and no worse at the end
 * than at a tenth of it.
 *
 *     node test/soak/slow-lane.ts [frames = 1e9]
 *
 * Not part of the suite: 1e9 frames take a minute or two.
 */
import { compile, defineLayer, ops } from '../../src/index.ts';

const BLOCK = 65_536;
const TOLERANCE = 5e-5;
const DECAY = 1 - 1e-6;

const lane = defineLayer({
  name: 'slow-lane',
  features: 1,
  apply: (t, u) =>
    ops.diagonalScan(u, { a: t.literal([DECAY]), c: t.literal([1], [1, 1]), method: ops.given, states: 1 }),
});

/** Marsaglia's xorshift: quick enough for a thousand million numbers, in [−½, ½). */
function noise(): () => number {
  let word = 2463534242;
  return () => {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    return word / 2 ** 32;
  };
}

function soak(name: string, frames: number, next: () => number): boolean {
  const stream = compile(lane, {});
  const [input, output] = [new Float32Array(BLOCK), new Float32Array(BLOCK)];
  let [exact, peak, worst, early] = [0, 0, 0, 0];
  const start = performance.now();
  for (let at = 0; at < frames; at += BLOCK) {
    for (let i = 0; i < BLOCK; i++) input[i] = next();
    stream.process(input, output);
    for (let i = 0; i < BLOCK; i++) {
      exact = DECAY * exact + input[i]!;
      const magnitude = Math.abs(exact);
      if (magnitude > peak) peak = magnitude;
      const error = Math.abs(output[i]! - exact);
      if (error > worst) worst = error;
    }
    if (at < frames / 10 && at + BLOCK >= frames / 10) early = worst / peak;
  }
  const error = worst / peak;
  const seconds = (performance.now() - start) / 1000;
  const fine = error <= TOLERANCE && error <= Math.max(early * 1.01, 1e-7);
  console.log(
    `${fine ? 'ok' : 'FAIL'} ${name}: ${frames} frames on ${stream.identity.backend}, error ${error.toExponential(1)} of the peak, ` +
      `${early.toExponential(1)} at a tenth of it, ${Math.round(frames / seconds / 1e6)}e6 frames/s`,
  );
  return fine;
}

const frames = Number(process.argv[2] ?? '1e9');
if (!Number.isSafeInteger(frames) || frames < 10 * BLOCK) {
  console.error(`frames is ${process.argv[2]}; give a whole number of at least ${10 * BLOCK}, such as 1e9`);
  process.exit(2);
}
const passed = [soak('noise', frames, noise()), soak('constant', frames, () => 1)];
process.exit(passed.every(Boolean) ? 0 : 1);
