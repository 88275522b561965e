/**
 * What a pickle works on: a stack with marks in it, a memo, and a budget for all the values that it makes.
 *
 * Source: CPython `Lib/pickletools.py`, the comment "What's a pickle?" on the stack, marks and the memo.
 */
import type { Fail } from './globals.ts';
import type { Value } from './values.ts';

const MAX_STACK = 2 ** 16;
/** Containers that are being filled, one inside the other. */
const MAX_MARKS = 256;

/**
 * What the values may take, in bytes, about: a pickle of a few bytes may ask for much. With `COST` it keeps what
 * a lying file can cost below 16 MiB.
 */
const VALUE_BUDGET = 7 * 2 ** 20;
export const COST = {
  container: 96,
  table: 200,
  entry: 64,
  slot: 16,
  text: 32,
  bytes: 160,
  memo: 20,
  call: 120,
  long: 240,
};

export class PickleStack {
  readonly #fail: Fail;
  readonly #values: Value[] = [];
  /** Heights of the stack at which marks lie. */
  readonly #marks: number[] = [];
  /** By index: picklers number what they remember from 0 without gaps. */
  readonly #memo: Value[] = [];
  #budget = VALUE_BUDGET;

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  get empty(): boolean {
    return this.#values.length === 0 && this.#marks.length === 0;
  }

  /** Takes from the budget, before the memory is taken. */
  spend(bytes: number): void {
    this.#budget -= bytes;
    if (this.#budget < 0) {
      this.#fail(
        `the values up to here take more than the ${VALUE_BUDGET} bytes reserved for them; export the state_dict alone, or convert it to safetensors`,
      );
    }
  }

  push(value: Value): void {
    if (this.#values.length >= MAX_STACK) this.#fail(`more than ${MAX_STACK} values on the stack`);
    this.#values.push(value);
  }

  /** The topmost value, which has to lie above the innermost mark. */
  top(): Value {
    const floor = this.#marks.length > 0 ? this.#marks[this.#marks.length - 1] : 0;
    if (this.#values.length <= floor) this.#fail('the stack is empty; the pickle is damaged');
    return this.#values[this.#values.length - 1];
  }

  pop(): Value {
    const value = this.top();
    this.#values.pop();
    return value;
  }

  mark(): void {
    if (this.#marks.length >= MAX_MARKS) this.#fail(`more than ${MAX_MARKS} marks, one inside the other`);
    this.#marks.push(this.#values.length);
  }

  /** The values above the innermost mark, which goes. */
  popMark(): Value[] {
    const from = this.#marks.pop();
    if (from === undefined) return this.#fail('there is no mark; the pickle is damaged');
    return this.#values.splice(from);
  }

  /** POP: as in Python, a mark on top of the stack goes like a value. */
  drop(): void {
    if (this.#marks.at(-1) === this.#values.length) this.#marks.pop();
    else this.pop();
  }

  remember(index = this.#memo.length): void {
    const value = this.top();
    if (index > this.#memo.length) {
      this.#fail(`memo ${index} comes after ${this.#memo.length} others, with a gap; the pickle is damaged`);
    }
    this.spend(COST.memo);
    this.#memo[index] = value;
  }

  recall(index: number): void {
    if (index >= this.#memo.length) this.#fail(`memo ${index} is empty; the pickle is damaged`);
    this.push(this.#memo[index]);
  }
}
