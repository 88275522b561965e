import { ArgumentError, StreamError } from '../errors.ts';
import { kaiser, kaiserBeta, kaiserLength } from './kaiser.ts';

/*
 * L / M     to / from in lowest terms                       integers
 * half      input frames that an output needs on each side  integer
 * taps      2 · half                                        integer
 * phases    rows of the filter                              L, or TABLE + 1 where L is too large
 * h         filter, each phase with a sum of 1              phases × taps
 * m         number of an output frame                       integer
 *
 * y[m] = Σ_j h[phase][j] · x[base − half + 1 + j],  base = ⌊m·M/L⌋,  phase = (m·M) mod L
 */

/** How good, and how long, the filter is. `passband` is a share of the lower of the two Nyquist frequencies. */
const QUALITY = {
  /** 100 dB with 85 % of the band, at a quarter of the work of `best`. */
  fast: { attenuation: 100, passband: 0.85 },
  good: { attenuation: 110, passband: 0.9 },
  best: { attenuation: 130, passband: 0.95 },
} as const;

/** Phases of the table for ratios with more than that many (44100 → 44101): between two rows it is linear. */
const TABLE = 4096;

type Samples = Float32Array | Float64Array;

export type ResampleQuality = keyof typeof QUALITY;

/** What a resampler is made for. Rates in Hz, whole numbers. */
export interface ResamplerOptions {
  readonly from: number;
  readonly to: number;
  readonly channels: number;
  /** Default: `'good'`. */
  readonly quality?: ResampleQuality;
}

/** A resampler with the state of one stream. */
export interface Resampler {
  /** Input frames that are held back: an output comes once that many frames after its moment have arrived. */
  readonly latency: number;
  /** Takes a block, frames × channels; gives the frames that are ready, a fresh array (perhaps empty). */
  process(input: Float32Array): Float32Array;
  /**
   * The same into an array of the caller's; returns the frames written. Allocates nothing once blocks of the largest
   * size have passed: for audio threads.
   *
   * @throws ArgumentError where `output` has no room; nothing has been consumed then.
   */
  processInto(input: Samples, output: Samples): number;
  /** Output frames that are ready once `frames` input frames have come, counted from the start. */
  emitted(frames: number): number;
  /** No more input: gives the rest. All in all there are ⌈frames · to / from⌉ output frames. */
  end(): Float32Array;
}

/**
 * Changes the sample rate of a stream: a polyphase windowed-sinc filter (Kaiser), delay-compensated, so that
 * output frame m is the signal at m / `to` seconds. Memory is constant, phases are counted in integers, and
 * any way of cutting the input into blocks gives the same bits:
 * `process(a ++ b) ++ end() ≡ process(a) ++ process(b) ++ end()`. Before its start and after its end the
 * signal is taken for 0.
 *
 * Measured over a third of a second with sines of half scale, the worst frequency and the worst of
 * 44.1 ↔ 48, 48 → 16, 8 → 16, 22.05 → 16, 16 → 48 kHz and 44.1 → 44.101 kHz (by a table of 4096 phases); one
 * channel, one core:
 *
 * | quality | pass band | error in it | what folds back | latency 44.1 → 48 kHz | times real time |
 * | ------- | --------- | ----------- | --------------- | --------------------- | --------------- |
 * | `fast`  | 85 %      | −99 dB      | −99 dB          | 44 frames, 1 ms       | 180             |
 * | `good`  | 90 %      | −108 dB     | −110 dB         | 72 frames, 1.6 ms     | 120             |
 * | `best`  | 95 %      | −130 dB     | −129 dB         | 171 frames, 3.9 ms    | 55              |
 *
 * For comparison libsamplerate (its WebAssembly build, 2 MB) has an error of −98 dB in `SRC_SINC_FASTEST` at
 * the speed of `good` and −135 dB in `SRC_SINC_BEST_QUALITY` at a quarter of the speed of `best`. It too is
 * indifferent to how the input is cut, but as a stream it has no end: the last 156 frames of 96,000 never come.
 *
 * @throws ArgumentError for rates or channels that are no positive whole numbers.
 * @example
 * const resampler = createResampler({ from: 44_100, to: 16_000, channels: 1 });
 * for await (const block of wav.blocks(1024)) consume(resampler.process(block));
 * consume(resampler.end());
 */
export function createResampler({ from, to, channels, quality = 'good' }: ResamplerOptions): Resampler {
  for (const [name, value] of Object.entries({ from, to, channels })) {
    if (!Number.isSafeInteger(value) || value < 1 || value > 0xffff_ffff) {
      throw new ArgumentError(`${name}: ${value} is not a positive whole number (rates in Hz).`);
    }
  }
  if (!Object.hasOwn(QUALITY, quality)) {
    throw new ArgumentError(`quality: '${quality}' is none of ${Object.keys(QUALITY).join(', ')}.`);
  }
  if (from === to) return passThrough(channels);
  return new Polyphase(from, to, channels, quality);
}

function passThrough(channels: number): Resampler {
  let ended = false;
  return {
    latency: 0,
    process(input) {
      checkBlock(input, channels, ended);
      return input.slice();
    },
    processInto(input, output) {
      checkBlock(input, channels, ended);
      checkRoom(output, input.length);
      for (let i = 0; i < input.length; i++) output[i] = input[i]!;
      return input.length / channels;
    },
    emitted: (frames) => frames,
    end() {
      ended = true;
      return new Float32Array(0);
    },
  };
}

class Polyphase implements Resampler {
  readonly latency: number;
  readonly #channels: number;
  readonly #l: number;
  readonly #m: number;
  readonly #taps: number;
  readonly #filter: Float64Array;
  /** Whether every phase has its own row. */
  readonly #exact: boolean;
  /** A window of the input for every channel, as float64; `#first` is the frame number of its start. */
  #history: Float64Array[];
  #first: number;
  #held: number;
  /** The next output: its base and its phase. */
  #base = 0;
  #phase = 0;
  #received = 0;
  #ended = false;

  constructor(from: number, to: number, channels: number, quality: ResampleQuality) {
    const divisor = gcd(from, to);
    this.#l = to / divisor;
    this.#m = from / divisor;
    this.#channels = channels;
    this.#exact = this.#l <= TABLE;
    const { filter, half } = design(this.#l, this.#m, this.#exact ? this.#l : TABLE, this.#exact, quality);
    this.#filter = filter;
    this.#taps = 2 * half;
    this.latency = half;
    // The first output reaches half − 1 frames back before the start: zeros.
    this.#first = 1 - half;
    this.#held = half - 1;
    this.#history = Array.from({ length: channels }, () => new Float64Array(4 * this.#taps));
  }

  process(input: Float32Array): Float32Array {
    checkBlock(input, this.#channels, this.#ended);
    const received = this.#received + input.length / this.#channels;
    const out = new Float32Array(this.#ready(received - this.latency) * this.#channels);
    this.processInto(input, out);
    return out;
  }

  processInto(input: Samples, output: Samples): number {
    checkBlock(input, this.#channels, this.#ended);
    const frames = input.length / this.#channels;
    checkRoom(output, this.#ready(this.#received + frames - this.latency) * this.#channels);
    this.#received += frames;
    // Long blocks go in by pieces, so that the window stays as small as for short ones.
    let written = 0;
    const piece = Math.max(1024, this.#taps);
    for (let at = 0; at < frames; at += piece) {
      const count = Math.min(piece, frames - at);
      this.#append(input, at, count);
      written = this.#run(output, written, this.#first + this.#held - this.latency);
    }
    return written;
  }

  emitted(frames: number): number {
    return Math.max(0, Math.ceil(((frames - this.latency) * this.#l) / this.#m));
  }

  end(): Float32Array {
    if (this.#ended) return new Float32Array(0);
    this.#ended = true;
    const out = new Float32Array(this.#ready(this.#received) * this.#channels);
    this.#append(new Float32Array(this.latency * this.#channels), 0, this.latency);
    this.#run(out, 0, this.#received);
    return out;
  }

  /** How many outputs have their base before input frame `limit`. */
  #ready(limit: number): number {
    if (limit <= this.#base) return 0;
    // The k-th from now has its base at base + ⌊(phase + k·M) / L⌋; products stay below 2^53.
    return Math.ceil(((limit - this.#base) * this.#l - this.#phase) / this.#m);
  }

  #append(input: Samples, at: number, count: number): void {
    const channels = this.#channels;
    const drop = Math.max(0, Math.min(this.#held, this.#base + 1 - this.latency - this.#first));
    const kept = this.#held - drop;
    for (let c = 0; c < channels; c++) {
      let history = this.#history[c]!;
      if (kept + count > history.length) {
        const wider = new Float64Array(2 * (kept + count));
        wider.set(history.subarray(drop, this.#held));
        this.#history[c] = history = wider;
      } else if (drop > 0) {
        history.copyWithin(0, drop, this.#held);
      }
      for (let i = 0; i < count; i++) history[kept + i] = input[(at + i) * channels + c]!;
    }
    this.#first += drop;
    this.#held = kept + count;
  }

  /** Writes the outputs whose base is before `limit`; the frames in `out` from then on. */
  #run(out: Samples, written: number, limit: number): number {
    const channels = this.#channels;
    const taps = this.#taps;
    const filter = this.#filter;
    while (this.#base < limit) {
      const start = this.#base + 1 - this.latency - this.#first;
      if (this.#exact) {
        const row = this.#phase * taps;
        for (let c = 0; c < channels; c++) {
          const history = this.#history[c]!;
          let sum = 0;
          for (let j = 0; j < taps; j++) sum += filter[row + j]! * history[start + j]!;
          out[written * channels + c] = sum;
        }
      } else {
        const place = (this.#phase / this.#l) * TABLE;
        const row = Math.floor(place) * taps;
        const share = place - Math.floor(place);
        for (let c = 0; c < channels; c++) {
          const history = this.#history[c]!;
          let sum = 0;
          let next = 0;
          for (let j = 0; j < taps; j++) {
            sum += filter[row + j]! * history[start + j]!;
            next += filter[row + taps + j]! * history[start + j]!;
          }
          out[written * channels + c] = sum + share * (next - sum);
        }
      }
      written++;
      this.#phase += this.#m;
      const frames = Math.floor(this.#phase / this.#l);
      this.#base += frames;
      this.#phase -= frames * this.#l;
    }
    return written;
  }
}

/**
 * The windowed sinc of all phases. The stop band begins at the lower Nyquist frequency itself, so that
 * nothing folds back into what is kept; the transition band ends there.
 */
function design(
  l: number,
  m: number,
  phases: number,
  exact: boolean,
  quality: ResampleQuality,
): { filter: Float64Array; half: number } {
  const { attenuation, passband } = QUALITY[quality];
  // Frequencies as shares of the input's Nyquist frequency.
  const nyquist = Math.min(1, l / m);
  const cutoff = (nyquist * (1 + passband)) / 2;
  const width = nyquist * (1 - passband) * Math.PI;
  const half = Math.ceil(kaiserLength(attenuation, width) / 2);
  const beta = kaiserBeta(attenuation);
  const rows = exact ? phases : phases + 1;
  const filter = new Float64Array(rows * 2 * half);
  for (let phase = 0; phase < rows; phase++) {
    const row = filter.subarray(phase * 2 * half, (phase + 1) * 2 * half);
    let sum = 0;
    for (let j = 0; j < row.length; j++) {
      const t = j - half + 1 - phase / phases;
      const angle = Math.PI * cutoff * t;
      row[j] = (angle === 0 ? 1 : Math.sin(angle) / angle) * kaiser(t / half, beta);
      sum += row[j]!;
    }
    // Every phase passes a constant exactly: no tone at multiples of the input rate.
    for (let j = 0; j < row.length; j++) row[j] = row[j]! / sum;
  }
  return { filter, half };
}

function checkBlock(input: Samples, channels: number, ended: boolean): void {
  if (ended) throw new StreamError('process after end: create another resampler.');
  if (input.length % channels !== 0) {
    throw new ArgumentError(
      `A block of ${input.length} samples is not a whole number of frames of ${channels} channels.`,
    );
  }
}

function checkRoom(output: Samples, samples: number): void {
  if (output.length >= samples) return;
  throw new ArgumentError(
    `The output has room for ${output.length} samples, ${samples} come; make it longer.`,
  );
}

function gcd(a: number, b: number): number {
  while (b > 0) [a, b] = [b, a % b];
  return a;
}
