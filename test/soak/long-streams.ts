/**
 * Does a stream age? A layer after a very long input against a fresh stream that is fed the last M frames of it: both
 * must agree to 1e-4 of the peak over the frames behind those M. M follows from the slowest decay of the weights, so
 * that what came before weighs less than e^-20.
 *
 *     node test/soak/long-streams.ts [frames = 1e6] [rwkv4 | rwkv6 | rwkv7 | retention | lru | mamba …]
 *
 * Not part of the suite: 1e8 frames of one model take minutes.
 */
import { random } from '../../src/init/index.ts';
import { lru, mamba, retention, rwkv6, rwkv7 } from '../../src/layers/index.ts';
import { rwkv4Model } from '../../src/models/index.ts';
import type { Layer } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { stirred } from '../support/stirred.ts';

const FEATURES = 8;
const BLOCK = 4096;
/** Frames that are compared, the last ones. */
const COMPARED = 4096;
const TOLERANCE = 1e-4;
/** e^-20 = 2e-9. */
const FORGOTTEN = 20;

type Parameters = ReadonlyMap<string, Float64Array>;

interface Subject {
  readonly model: Layer;
  /** Makes the weights remember for long, where they begin with a short memory. */
  slow?(parameters: Parameters): void;
  /** The slowest log decay a frame that the weights allow, below 0. */
  slowest(parameters: Parameters): number;
  /** Layers with memory one behind the other: each adds its own to what the next remembers. */
  readonly depth: number;
}

/** min over outputs of bias − Σ|W|: the least that a low-rank projection behind a tanh can give. */
function leastOfLora(parameters: Parameters, name: string): number {
  const bias = parameters.get(`${name}.lora.2.bias`)!;
  const weight = parameters.get(`${name}.lora.2.weight`)!;
  const rank = weight.length / bias.length;
  return Math.min(
    ...bias.map(
      (b, i) => b - weight.subarray(i * rank, (i + 1) * rank).reduce((sum, w) => sum + Math.abs(w), 0),
    ),
  );
}

const subjects: Readonly<Record<string, Subject>> = {
  rwkv4: {
    model: rwkv4Model({ features: FEATURES, layers: 2 }),
    slowest: (parameters) =>
      -Math.exp(Math.min(...[0, 1].flatMap((i) => [...parameters.get(`blocks.${i}.attention.time_decay`)!]))),
    depth: 2,
  },
  rwkv6: {
    model: rwkv6({ features: FEATURES, heads: 2, mixRank: 4, decayRank: 4 }),
    // As RWKV-LM's initial values, where flash-linear-attention's are 0.
    slow: (parameters) =>
      parameters.get('w_proj.linear.lora.2.bias')!.forEach((value, i, bias) => (bias[i] = value - 6)),
    slowest: (parameters) => -Math.exp(leastOfLora(parameters, 'w_proj.linear')),
    depth: 1,
  },
  rwkv7: {
    model: rwkv7({ features: FEATURES, headFeatures: 4, ranks: { decay: 4, a: 4, gate: 4 } }),
    slowest: (parameters) => -Math.exp(-0.5) / (1 + Math.exp(-leastOfLora(parameters, 'w_lora'))),
    depth: 1,
  },
  retention: {
    model: retention({ features: FEATURES, heads: 4 }),
    // γ = 1 − 2^(−5−h) of the last head.
    slowest: () => Math.log1p(-(2 ** -8)),
    depth: 1,
  },
  lru: {
    model: lru({ features: FEATURES, states: 8, rMin: 0.99, rMax: 0.9999 }),
    // |λ| = e^(−e^ν).
    slowest: (parameters) => -Math.exp(Math.min(...parameters.get('nu_log')!)),
    depth: 1,
  },
  mamba: {
    model: mamba({ features: FEATURES, states: 4, dtRank: 1 }),
    // A step cannot fall below softplus of its bias less what its weight brings in from a bounded δ.
    slow: (parameters) => parameters.get('dt_proj.weight')!.forEach((w, i, weight) => (weight[i] = 0.1 * w)),
    slowest: (parameters) => {
      const bias = parameters.get('dt_proj.bias')!;
      const least = Math.min(...bias.map((b) => Math.log1p(Math.exp(b - 1))));
      return -least * Math.exp(Math.min(...parameters.get('A_log')!));
    },
    depth: 1,
  },
};

function soak(name: string, { model, slow, slowest, depth }: Subject, frames: number): boolean {
  const parameters = stirred(model, 1);
  slow?.(parameters);
  const memory = Math.ceil((depth * FORGOTTEN) / -slowest(parameters));
  if (frames < memory + COMPARED + BLOCK) {
    console.error(
      `${name}: ${frames} frames are fewer than the ${memory + COMPARED + BLOCK} that its memory needs`,
    );
    return false;
  }
  const source = random(7);
  const kept = new Float32Array((memory + COMPARED) * FEATURES);
  const stream = compile(model, parameters);
  const input = new Float32Array(BLOCK * FEATURES);
  const output = new Float32Array(BLOCK * FEATURES);
  const last = new Float32Array(COMPARED * FEATURES);
  const start = performance.now();
  for (let at = 0; at < frames; at += BLOCK) {
    const count = Math.min(BLOCK, frames - at);
    for (let i = 0; i < count * FEATURES; i++) input[i] = source.uniform(-1.7, 1.7);
    stream.process(input.subarray(0, count * FEATURES), output);
    copyTail(input, kept, at, count, frames);
    copyTail(output, last, at, count, frames);
  }
  const seconds = (performance.now() - start) / 1000;
  const fresh = compile(model, parameters)
    .push(kept)
    .subarray(memory * FEATURES);
  let [peak, worst] = [0, 0];
  for (let i = 0; i < fresh.length; i++) {
    peak = Math.max(peak, Math.abs(fresh[i]!));
    const difference = Math.abs(fresh[i]! - last[i]!);
    worst = Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
  }
  const error = worst / peak;
  const verdict = error <= TOLERANCE ? 'ok' : 'FAIL';
  console.log(
    `${verdict} ${name}: ${frames} frames, M = ${memory}, error ${error.toExponential(1)} of the peak, ` +
      `${Math.round(frames / seconds)} frames/s`,
  );
  return verdict === 'ok';
}

/** The part of a block that falls on the last frames of all, to its place among them. */
function copyTail(block: Float32Array, tail: Float32Array, at: number, count: number, frames: number): void {
  const first = frames - tail.length / FEATURES;
  const from = Math.max(at, first);
  if (from >= at + count) return;
  tail.set(block.subarray((from - at) * FEATURES, count * FEATURES), (from - first) * FEATURES);
}

const [count = '1e6', ...names] = process.argv.slice(2);
const frames = Number(count);
const chosen = names.length > 0 ? names : Object.keys(subjects);
const unknown = chosen.find((name) => !Object.hasOwn(subjects, name));
if (!Number.isSafeInteger(frames) || frames < 1 || unknown !== undefined) {
  console.error(
    unknown === undefined
      ? `frames is ${count}; give a whole number such as 1e7`
      : `${unknown} is unknown; give some of ${Object.keys(subjects).join(', ')}`,
  );
  process.exit(2);
}
const passed = chosen.map((name) => soak(name, subjects[name]!, frames));
process.exit(passed.every(Boolean) ? 0 : 1);
