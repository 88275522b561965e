import { Observable, Subscriber, type OperatorFunction } from 'rxjs';
import { ArgumentError } from '../../src/errors.ts';
import { wholeNumber } from '../core/format.ts';

/**
 * Values in arrays of so many, or of those that came within so many milliseconds of the first.
 *
 *     source      -a-b-c----d----|        { records: 3, ms: 4 frames of time }
 *     result      -----x--------y|        x = [a b c]  y = [d]
 *
 * Unlike RxJS's `bufferTime` it lets `hold` through: the array of a value that completes it comes at once. What has
 * gathered comes before the end, and before an error: it came before.
 */
export function collect<T>(options: {
  readonly records: number;
  readonly ms: number;
}): OperatorFunction<T, T[]> {
  const { records, ms } = options;
  wholeNumber('batch', 'records', records);
  if (!(ms >= 0 && ms < 2 ** 31)) throw new ArgumentError(`batch: ms is ${ms}; give milliseconds, 0 or more`);
  return (source) => new Observable((subscriber) => source.subscribe(new Collector(subscriber, records, ms)));
}

/** Extends Subscriber for the reasons that `operate` gives. */
class Collector<T> extends Subscriber<T> {
  readonly #records: number;
  readonly #ms: number;
  #gathered: T[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(subscriber: Subscriber<T[]>, records: number, ms: number) {
    super(subscriber);
    this.#records = records;
    this.#ms = ms;
    this.add(() => clearTimeout(this.#timer));
  }

  protected override _next(value: T): void {
    this.#gathered.push(value);
    if (this.#gathered.length >= this.#records) this.#hand();
    else this.#timer ??= setTimeout(() => this.#hand(), this.#ms);
  }

  protected override _error(error: unknown): void {
    this.#hand();
    super._error(error);
  }

  protected override _complete(): void {
    this.#hand();
    super._complete();
  }

  #hand(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#gathered.length === 0) return;
    const values = this.#gathered;
    this.#gathered = [];
    this.destination.next(values);
  }
}
