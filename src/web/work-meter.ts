/** Microseconds of a bin, and how many there are: 16 ms in all, the last one for whatever took longer. */
const BIN = 4;
const BINS = 4096;

/**
 * How long a render quantum's work takes: mean, percentiles, worst, and how many took longer than the quantum lasts.
 * Memory is constant and nothing is allocated.
 */
export class WorkMeter {
  /** µs that a quantum lasts. */
  readonly quantum: number;
  readonly #bins = new Float64Array(BINS);
  #count = 0;
  #sum = 0;
  #worst = 0;
  #late = 0;

  /** @param quantum µs that a quantum lasts. */
  constructor(quantum: number) {
    this.quantum = quantum;
  }

  /** @param work µs. */
  record(work: number): void {
    this.#count++;
    this.#sum += work;
    if (work > this.#worst) this.#worst = work;
    if (work > this.quantum) this.#late++;
    this.#bins[Math.min(BINS - 1, Math.max(0, Math.floor(work / BIN)))]!++;
  }

  reset(): void {
    this.#bins.fill(0);
    this.#count = 0;
    this.#sum = 0;
    this.#worst = 0;
    this.#late = 0;
  }

  get count(): number {
    return this.#count;
  }

  /** Share of the time that went into work, 0 … 1. */
  get load(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count / this.quantum;
  }

  /** µs. */
  get worst(): number {
    return this.#worst;
  }

  /** Quanta whose work took longer than they last. */
  get late(): number {
    return this.#late;
  }

  /** µs within which a share of all quanta was done: `percentile(0.999)`. The upper edge of a bin. */
  percentile(share: number): number {
    let left = this.#count * share;
    for (let i = 0; i < BINS - 1; i++) {
      left -= this.#bins[i]!;
      if (left <= 0) return Math.min((i + 1) * BIN, this.#worst);
    }
    return this.#worst;
  }
}
