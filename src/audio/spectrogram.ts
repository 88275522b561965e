import type FFT from 'fft.js';
import { ArgumentError, StreamError } from '../errors.ts';
import { lazy } from './lazy.ts';

const fft = lazy<typeof FFT>('fft.js', 'A spectrogram');

/*
 * fftSize   length of the window, a power of two                      N
 * hop       samples from one transform to the next
 * bins      fftSize / 2 + 1, from 0 Hz to half the sample rate
 * window    Hann, 0.5 − 0.5 cos(2πn/N) (periodic)                     N
 * power     |2 X[k] / Σ window|²: 1 for a full-scale sine on a bin    columns × bins
 */

/** How a spectrogram is to be taken. */
export interface SpectrogramOptions {
  /** Hz. */
  readonly sampleRate: number;
  /** Channels of the blocks; their powers are averaged. Default: 1. */
  readonly channels?: number;
  /** Default: the power of two next to 32 ms. */
  readonly fftSize?: number;
  /** Default: a quarter of `fftSize`. */
  readonly hop?: number;
  /** How many columns are kept at most, at least half as many of a long input. Default: 1600. */
  readonly maxColumns?: number;
}

/** Power over time and frequency. */
export interface Spectrogram {
  readonly sampleRate: number;
  readonly fftSize: number;
  readonly bins: number;
  readonly columns: number;
  /** Seconds from one column to the next; the first transform of column k is centred at k times that. */
  readonly secondsPerColumn: number;
  /** Length of the input. */
  readonly seconds: number;
  /** columns × bins; 1 is a full-scale sine. */
  readonly power: Float32Array;
}

/** A spectrogram that grows with its input, in bounded memory. */
export interface SpectrogramBuilder {
  /** Takes a block, frames × channels, of any length. */
  push(block: Float32Array | Float64Array): void;
  /** No more input: the picture of it all. */
  end(): Spectrogram;
}

/**
 * Takes the short-time Fourier transform of a stream. Whatever the length, at most `maxColumns` columns are
 * kept: when there are twice as many, neighbours are averaged (in power, so noise keeps its level) and each
 * column stands for twice the time. An hour takes as much memory as a minute.
 *
 * @throws ArgumentError for sizes that no transform has.
 * @example
 * const spectrogram = createSpectrogram({ sampleRate: 16_000 });
 * for await (const block of wav.blocks(4096)) spectrogram.push(block);
 * await writeFile('speech.png', renderSpectrograms([{ title: 'speech', spectrogram: spectrogram.end() }]));
 */
export function createSpectrogram(options: SpectrogramOptions): SpectrogramBuilder {
  const { sampleRate, channels = 1, maxColumns = 1600 } = options;
  if (!(sampleRate > 0 && sampleRate < Infinity)) {
    throw new ArgumentError(`sampleRate: ${sampleRate} is not a positive number of Hz.`);
  }
  const fftSize = options.fftSize ?? 2 ** Math.max(4, Math.round(Math.log2(sampleRate * 0.032)));
  if (!Number.isSafeInteger(fftSize) || fftSize < 4 || fftSize > 2 ** 20 || Math.log2(fftSize) % 1 !== 0) {
    throw new ArgumentError(`fftSize: ${fftSize} is not a power of two from 4 to 2^20.`);
  }
  const hop = options.hop ?? fftSize / 4;
  for (const [name, value] of Object.entries({ hop, channels, maxColumns })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new ArgumentError(`${name}: ${value} is not a positive whole number.`);
    }
  }
  return new Builder(sampleRate, channels, fftSize, hop, maxColumns);
}

class Builder implements SpectrogramBuilder {
  readonly #sampleRate: number;
  readonly #channels: number;
  readonly #fftSize: number;
  readonly #hop: number;
  readonly #maxColumns: number;
  readonly #bins: number;
  readonly #window: Float64Array;
  readonly #gain: number;
  readonly #fft: FFT;
  readonly #spectrum: number[];
  readonly #input: number[];
  /** The last fftSize frames as a ring, a channel after the other. */
  readonly #ring: Float32Array;
  #at = 0;
  /** Frames until the next transform. The first is centred on frame 0: half a window of zeros precedes it. */
  #until: number;
  #frames = 0;
  #transforms = 0;
  /** Sums over `#group` transforms each. */
  #power: Float32Array;
  #columns = 0;
  #inColumn = 0;
  #group = 1;
  #ended = false;

  constructor(sampleRate: number, channels: number, fftSize: number, hop: number, maxColumns: number) {
    this.#sampleRate = sampleRate;
    this.#channels = channels;
    this.#fftSize = fftSize;
    this.#hop = hop;
    this.#maxColumns = maxColumns;
    this.#bins = fftSize / 2 + 1;
    this.#window = Float64Array.from(
      { length: fftSize },
      (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / fftSize),
    );
    // The periodic window sums to N / 2; channels share the mean.
    this.#gain = (4 / fftSize) ** 2 / channels;
    this.#fft = new (fft())(fftSize);
    this.#spectrum = this.#fft.createComplexArray() as number[];
    this.#input = new Array<number>(fftSize).fill(0);
    this.#ring = new Float32Array(channels * fftSize);
    this.#until = fftSize / 2;
    this.#power = new Float32Array(64 * this.#bins);
  }

  push(block: Float32Array | Float64Array): void {
    const channels = this.#channels;
    if (this.#ended) throw new StreamError('push after end: create another spectrogram.');
    if (block.length % channels !== 0) {
      throw new ArgumentError(
        `A block of ${block.length} samples is not a whole number of frames of ${channels} channels.`,
      );
    }
    this.#frames += block.length / channels;
    this.#take(block, block.length / channels);
  }

  end(): Spectrogram {
    if (!this.#ended) {
      this.#ended = true;
      // Zeros behind the end, for every column that is centred within the input.
      const missing = Math.ceil(this.#frames / this.#hop) - this.#transforms;
      if (missing > 0) {
        const frames = this.#until + (missing - 1) * this.#hop;
        this.#take(new Float32Array(frames * this.#channels), frames);
      }
      while (this.#columnsNow() > this.#maxColumns) this.#merge();
    }
    const columns = this.#columnsNow();
    const power = this.#power.slice(0, columns * this.#bins);
    for (let c = 0; c < columns; c++) {
      const count = c < this.#columns ? this.#group : this.#inColumn;
      for (let b = 0; b < this.#bins; b++) power[c * this.#bins + b]! /= count;
    }
    return {
      sampleRate: this.#sampleRate,
      fftSize: this.#fftSize,
      bins: this.#bins,
      columns,
      secondsPerColumn: (this.#hop * this.#group) / this.#sampleRate,
      seconds: this.#frames / this.#sampleRate,
      power,
    };
  }

  #columnsNow(): number {
    return this.#columns + (this.#inColumn > 0 ? 1 : 0);
  }

  #take(block: Float32Array | Float64Array, frames: number): void {
    const channels = this.#channels;
    const size = this.#fftSize;
    for (let i = 0; i < frames;) {
      // Up to the next transform, or to the end of the ring.
      const count = Math.min(frames - i, this.#until, size - this.#at);
      for (let c = 0; c < channels; c++) {
        const from = c * size + this.#at;
        for (let k = 0; k < count; k++) this.#ring[from + k] = block[(i + k) * channels + c]!;
      }
      i += count;
      this.#at = (this.#at + count) % size;
      this.#until -= count;
      if (this.#until === 0) {
        this.#transform();
        this.#until = this.#hop;
      }
    }
  }

  #transform(): void {
    const size = this.#fftSize;
    const bins = this.#bins;
    if ((this.#columns + 1) * bins > this.#power.length) {
      const wider = new Float32Array(2 * this.#power.length);
      wider.set(this.#power);
      this.#power = wider;
    }
    const column = this.#power.subarray(this.#columns * bins, (this.#columns + 1) * bins);
    for (let c = 0; c < this.#channels; c++) {
      for (let n = 0; n < size; n++) {
        this.#input[n] = this.#ring[c * size + ((this.#at + n) % size)]! * this.#window[n]!;
      }
      this.#fft.realTransform(this.#spectrum, this.#input);
      for (let b = 0; b < bins; b++) {
        const re = this.#spectrum[2 * b]!;
        const im = this.#spectrum[2 * b + 1]!;
        // 0 Hz and the Nyquist frequency have no mirror image that shares their power.
        const share = b === 0 || b === bins - 1 ? 0.25 : 1;
        column[b]! += (re * re + im * im) * this.#gain * share;
      }
    }
    this.#transforms++;
    if (++this.#inColumn < this.#group) return;
    this.#inColumn = 0;
    this.#columns++;
    if (this.#columns === 2 * this.#maxColumns) this.#merge();
  }

  /** Adds neighbouring columns: each then stands for twice as many transforms. */
  #merge(): void {
    const bins = this.#bins;
    const all = this.#columnsNow();
    for (let to = 0; 2 * to < all; to++) {
      const first = 2 * to * bins;
      const paired = 2 * to + 1 < all;
      for (let b = 0; b < bins; b++) {
        this.#power[to * bins + b] = this.#power[first + b]! + (paired ? this.#power[first + bins + b]! : 0);
      }
    }
    // A column that is not full yet, or has no partner, is the one being filled from now on.
    const full = Math.floor(this.#columns / 2);
    this.#inColumn += (this.#columns % 2) * this.#group;
    this.#columns = full;
    this.#group *= 2;
    this.#power.fill(0, this.#columnsNow() * bins);
  }
}
