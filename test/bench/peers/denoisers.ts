/**
 * Other people's streaming speech denoisers, one hop a piece with the transforms that they need around the network.
 */
import FFT from 'fft.js';
import { shared } from '../../support/shared.ts';
import { existsSync } from 'node:fs';
import { Unavailable, timed, timedAsync, type Contender } from '../contest.ts';
import { noise } from '../noise.ts';
import { loadPeer } from './load.ts';
import { onnxRuntime, type OnnxRuntime, type OrtSession, type OrtTensor } from './onnxruntime.ts';

/** Takes a hop of input and gives a hop of output, delayed by its window. */
export interface HopDenoiser {
  readonly name: string;
  readonly hop: number;
  readonly sampleRate: number;
  process(input: Float32Array): Promise<Float32Array>;
}

/** A file of shared material. @throws Unavailable where it is absent. */
export function sharedFile(...parts: string[]): string {
  const path = shared(...parts);
  if (!existsSync(path))
    throw new Unavailable(`${parts.join('/')} is not in the shared material (../shared)`);
  return path;
}

/** A hop denoiser as a contender, on noise of a usual level. */
export function hops({ name, hop, sampleRate, process }: HopDenoiser): Contender {
  const input = noise(hop).map((x) => 0.1 * x);
  return timedAsync(name, hop, () => process(input), { sampleRate });
}

const WINDOW = 512;
const BINS = WINDOW / 2 + 1;

/** Real transforms of one window, in place in their own buffers. */
class Transform {
  readonly #fft = new FFT(WINDOW);
  readonly spectrum = new Array<number>(2 * WINDOW).fill(0);
  readonly #time = new Array<number>(2 * WINDOW).fill(0);

  /** (WINDOW) → `spectrum`, re and im of each bin one behind the other. */
  forward(input: ArrayLike<number>): void {
    this.#fft.realTransform(this.spectrum, input as number[]);
  }

  /** `spectrum`, of which the first WINDOW/2 + 1 bins count, → (WINDOW), real parts at even places. */
  inverse(): readonly number[] {
    this.spectrum[1] = this.spectrum[2 * BINS - 1] = 0;
    this.#fft.completeSpectrum(this.spectrum);
    this.#fft.inverseTransform(this.#time, this.spectrum);
    return this.#time;
  }
}

/** Feeds with state tensors that come back under another name. */
async function advance(
  session: OrtSession,
  feeds: Record<string, OrtTensor>,
  carried: Readonly<Record<string, string>>,
): Promise<Record<string, OrtTensor>> {
  const results = await session.run(feeds);
  for (const [into, from] of Object.entries(carried)) feeds[into] = results[from]!;
  return results;
}

const zeros = (runtime: OnnxRuntime, dims: readonly number[]): OrtTensor =>
  runtime.tensor(new Float32Array(dims.reduce((a, b) => a * b)), dims);

/**
 * GTCRN (Rong et al., ICASSP 2024), 16 kHz: windows of 512, hops of 256, the root of a Hann window on both sides, a
 * spectrum and three caches in, a spectrum out.
 */
export async function gtcrn(): Promise<HopDenoiser> {
  const file = sharedFile('peers', 'gtcrn', 'gtcrn_simple.onnx');
  const runtime = await onnxRuntime();
  const session = await runtime.session(file);
  const hop = WINDOW / 2;
  const window = Float64Array.from({ length: WINDOW }, (_, i) =>
    Math.sqrt(0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW)),
  );
  const transform = new Transform();
  const mix = zeros(runtime, [1, BINS, 1, 2]);
  const feeds: Record<string, OrtTensor> = {
    mix,
    conv_cache: zeros(runtime, [2, 1, 16, 16, 33]),
    tra_cache: zeros(runtime, [2, 3, 1, 1, 16]),
    inter_cache: zeros(runtime, [2, 1, 33, 16]),
  };
  const carried = {
    conv_cache: 'conv_cache_out',
    tra_cache: 'tra_cache_out',
    inter_cache: 'inter_cache_out',
  };
  const frame = new Float64Array(WINDOW);
  const past = new Float64Array(WINDOW);
  const sum = new Float64Array(WINDOW);
  return {
    name: `GTCRN in ${runtime.name}`,
    hop,
    sampleRate: 16_000,
    async process(input) {
      past.copyWithin(0, hop);
      past.set(input, hop);
      for (let i = 0; i < WINDOW; i++) frame[i] = past[i]! * window[i]!;
      transform.forward(frame);
      for (let i = 0; i < 2 * BINS; i++) mix.data[i] = transform.spectrum[i]!;
      const { enh } = await advance(session, feeds, carried);
      for (let i = 0; i < 2 * BINS; i++) transform.spectrum[i] = enh!.data[i]!;
      const time = transform.inverse();
      sum.copyWithin(0, hop);
      sum.fill(0, hop);
      for (let i = 0; i < WINDOW; i++) sum[i]! += time[2 * i]! * window[i]!;
      return Float32Array.from(sum.subarray(0, hop));
    },
  };
}

/**
 * DTLN (Westhausen & Meyer, Interspeech 2020), 16 kHz: windows of 512, hops of 128, no window function; one network
 * masks the magnitudes, a second one works on the samples.
 */
export async function dtln(): Promise<HopDenoiser> {
  const [first, second] = [1, 2].map((part) => sharedFile('peers', 'dtln', `model_${part}.onnx`));
  const runtime = await onnxRuntime();
  const [masks, samples] = [await runtime.session(first!), await runtime.session(second!)];
  const hop = 128;
  const transform = new Transform();
  const magnitude = zeros(runtime, [1, 1, BINS]);
  const masked = zeros(runtime, [1, 1, WINDOW]);
  const maskFeeds: Record<string, OrtTensor> = {
    input_2: magnitude,
    input_3: zeros(runtime, [1, 2, 128, 2]),
  };
  const sampleFeeds: Record<string, OrtTensor> = { input_4: masked, input_5: zeros(runtime, [1, 2, 128, 2]) };
  const past = new Float64Array(WINDOW);
  const sum = new Float64Array(WINDOW);
  return {
    name: `DTLN in ${runtime.name}`,
    hop,
    sampleRate: 16_000,
    async process(input) {
      past.copyWithin(0, hop);
      past.set(input, WINDOW - hop);
      transform.forward(past);
      const { spectrum } = transform;
      for (let i = 0; i < BINS; i++) magnitude.data[i] = Math.hypot(spectrum[2 * i]!, spectrum[2 * i + 1]!);
      const { activation_2: mask } = await advance(masks, maskFeeds, { input_3: 'tf_op_layer_stack_2' });
      for (let i = 0; i < 2 * BINS; i++) spectrum[i]! *= mask!.data[i >> 1]!;
      const time = transform.inverse();
      for (let i = 0; i < WINDOW; i++) masked.data[i] = time[2 * i]!;
      const { conv1d_3: block } = await advance(samples, sampleFeeds, { input_5: 'tf_op_layer_stack_5' });
      sum.copyWithin(0, hop);
      sum.fill(0, WINDOW - hop);
      for (let i = 0; i < WINDOW; i++) sum[i]! += block!.data[i]!;
      return Float32Array.from(sum.subarray(0, hop));
    },
  };
}

/**
 * Runs with a global that only web workers have: the build refuses any other place by that sign alone, although its code
 * runs anywhere.
 */
async function asInWorker<T>(load: () => Promise<T>): Promise<T> {
  Object.defineProperty(globalThis, 'WorkerGlobalScope', { value: Object, configurable: true });
  try {
    return await load();
  } finally {
    Reflect.deleteProperty(globalThis, 'WorkerGlobalScope');
  }
}

interface RnnoiseModule {
  readonly Rnnoise: {
    load(): Promise<{
      readonly frameSize: number;
      createDenoiseState(): { processFrame(frame: Float32Array): number; destroy(): void };
    }>;
  };
}

/** RNNoise (Valin, 2018) as WebAssembly, 48 kHz, frames of 10 ms. */
export async function rnnoise(): Promise<Contender> {
  const { Rnnoise } = await loadPeer<RnnoiseModule>('@shiguredo/rnnoise-wasm');
  const library = await asInWorker(() => Rnnoise.load());
  const state = library.createDenoiseState();
  // Samples in the range of 16-bit integers; processed in place, so that each piece begins with a copy.
  const input = noise(library.frameSize).map((x) => 3000 * x);
  const frame = new Float32Array(library.frameSize);
  return timed(
    'RNNoise (@shiguredo/rnnoise-wasm), 48 kHz',
    library.frameSize,
    () => {
      frame.set(input);
      state.processFrame(frame);
    },
    { sampleRate: 48_000, close: () => state.destroy() },
  );
}
