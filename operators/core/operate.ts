import { Observable, Subscriber, type OperatorFunction } from 'rxjs';

/** What an operator with memory does; one is made for each subscription. */
export interface Transformer<T, R> {
  /**
   * Takes a value and emits what is ready; what it returns, unless undefined, comes behind that: the short way for one.
   * What it throws goes to `error()`.
   */
  next(value: T, emit: (value: R) => void): R | undefined | void;
  /** The source has completed: emits what is left. */
  end?(emit: (value: R) => void): void;
}

/**
 * An operator from its transformer, with the rules that all operators here keep:
 *
 * - a transformer is made on subscription, so that two subscribers share nothing and `repeat` starts afresh;
 * - values are transformed in the order in which they arrive and emitted one after the other, never nested:
 *   where a subscriber feeds the source from within `next`, what comes of it waits for that `next` to return
 *   (a nested emission would reach a second subscriber behind it in the wrong order, ReactiveX/rxjs#6580, #6976);
 * - an error of the source is passed on behind the values that came before it; nothing is flushed;
 * - closing the subscriber closes the source, also while it is still emitting inside `subscribe`.
 */
export const operate =
  <T, R>(begin: () => Transformer<T, R>): OperatorFunction<T, R> =>
  (source) =>
    new Observable((subscriber) => source.subscribe(new InOrder(subscriber, begin())));

/**
 * Extends Subscriber, as the operators of RxJS 7 do: a plain observer would be wrapped in another one, and the
 * source could not see that the destination is closed before `subscribe` has returned.
 */
class InOrder<T, R> extends Subscriber<T> {
  readonly #transformer: Transformer<T, R>;
  /** The usual case is one value at a time, which needs no queue. */
  #next: R | typeof nothing = nothing;
  readonly #waiting: R[] = [];
  #delivering = false;
  #end: (() => void) | undefined;

  constructor(subscriber: Subscriber<R>, transformer: Transformer<T, R>) {
    super(subscriber);
    this.#transformer = transformer;
  }

  // Collected until the transformer has returned: what a subscriber sets off must come behind all of them.
  readonly #emit = (value: R): void => {
    if (this.#next === nothing) this.#next = value;
    else this.#waiting.push(value);
  };

  protected override _next(value: T): void {
    let result: R | undefined | void;
    try {
      result = this.#transformer.next(value, this.#emit);
    } catch (error) {
      this.error(error);
      return;
    }
    // The usual case by the shortest way: one value, and nobody further up who delivers already.
    if (result !== undefined) {
      if (this.#next === nothing && !this.#delivering && !this.closed) this.#deliverOne(result);
      else this.#emit(result);
    }
    if (this.#next !== nothing || this.#end !== undefined) this.#deliver();
  }

  #deliverOne(value: R): void {
    this.#delivering = true;
    try {
      this.destination.next(value);
    } finally {
      this.#delivering = false;
    }
  }

  protected override _error(error: unknown): void {
    this.#end = () => super._error(error);
    this.#deliver();
  }

  protected override _complete(): void {
    try {
      this.#transformer.end?.(this.#emit);
    } catch (error) {
      this._error(error);
      return;
    }
    this.#end = () => super._complete();
    this.#deliver();
  }

  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let value = this.#next; value !== nothing && !this.closed; value = this.#next) {
        this.#next = this.#waiting.length === 0 ? nothing : this.#waiting.shift()!;
        this.destination.next(value);
      }
    } finally {
      this.#delivering = false;
    }
    if (this.#end !== undefined) this.#end();
  }
}

const nothing = Symbol('nothing');
