/*
 * peak    the largest magnitude, falling by FALL dB a second         scalar, full scale 1
 * square  mean of x² over the last WINDOW seconds, exponentially     scalar
 */

/** Both as a person can follow them: the peak of a programme meter, the time of a VU meter. */
const FALL = 20;
const WINDOW = 0.3;

/**
 * How loud a signal is, for a display: a peak that falls slowly, and a root mean square. Allocates nothing, so that it
 * runs in audio callbacks.
 *
 * @example
 * const meter = new LevelMeter(sampleRate);
 * meter.push(block);
 * draw(dbfs(meter.peak), dbfs(meter.rms));
 */
export class LevelMeter {
  peak = 0;
  /** Samples at or beyond full scale. */
  clipped = 0;
  #square = 0;
  readonly #fall: number;
  readonly #decay: number;

  /** @param sampleRate samples a second that are pushed: of all channels together. */
  constructor(sampleRate: number) {
    this.#fall = 10 ** (-FALL / 20 / sampleRate);
    this.#decay = Math.exp(-1 / (WINDOW * sampleRate));
  }

  get rms(): number {
    return Math.sqrt(this.#square);
  }

  /** The first `count` samples of a block. */
  push(block: ArrayLike<number>, count = block.length): void {
    let { peak } = this;
    let square = this.#square;
    for (let i = 0; i < count; i++) {
      const magnitude = Math.abs(block[i]!);
      peak = magnitude > peak ? magnitude : peak * this.#fall;
      square += (1 - this.#decay) * (magnitude * magnitude - square);
      if (magnitude >= 1) this.clipped++;
    }
    // What is no number shows as nothing, and does not stay.
    this.peak = Number.isFinite(peak) ? peak : 0;
    this.#square = Number.isFinite(square) ? square : 0;
  }
}
