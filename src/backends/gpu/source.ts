/**
 * The text of one gpu.js kernel, built statement by statement. gpu.js parses a kernel's source, so kernels are
 * strings and not functions: neither a compiler's nor a test runner's transform can reach inside, and one
 * generator covers every combination of operands without a branch on the device.
 *
 * What gpu.js asks of the text, kept here in one place:
 * - every named value is a float, exact to 2^24, and turning floats to places costs time: places inside loops are
 *   written out of the thread's coordinates and of counters to a number known beforehand, which stay whole numbers;
 * - a quotient may come out one ulp low (WGSL divides to 2.5 ulp), so `split` corrects it;
 * - no local arrays (webasm has none), and one number is returned by each thread.
 */
import { ZERO, isAtom, type Complex } from './expression.ts';

export class Source {
  #text = '';
  #names = 0;

  /** A name for a value; atoms (a name, a number) stand for themselves. */
  let(hint: string, value: string): string {
    if (isAtom(value)) return value;
    const name = `${hint}${++this.#names}`;
    this.#text += `let ${name} = ${value};\n`;
    return name;
  }

  letComplex(hint: string, [re, im]: Complex): Complex {
    return [this.let(`${hint}Re`, re), this.let(`${hint}Im`, im)];
  }

  /** A variable that changes. */
  variable(hint: string, value: string): string {
    const name = `${hint}${++this.#names}`;
    this.#text += `let ${name} = ${value};\n`;
    return name;
  }

  /** The same of two parts; a real one has no imaginary part to change. */
  complexVariable(hint: string, complex: boolean, [re, im]: Complex = [ZERO, ZERO]): Complex {
    return [this.variable(`${hint}Re`, re), complex ? this.variable(`${hint}Im`, im) : ZERO];
  }

  set(name: string, value: string): void {
    this.#text += `${name} = ${value};\n`;
  }

  /** Both parts at once, from the values that they had before. */
  setComplex([re, im]: Complex, value: Complex): void {
    const next = this.letComplex('next', value);
    this.set(re, next[0]);
    if (im !== ZERO) this.set(im, next[1]);
  }

  /** `body` for 0 … turns − 1, a number known now, so that the counter is a whole number on the device too. */
  times(hint: string, turns: number, body: (counter: string) => void): void {
    const name = `${hint}${++this.#names}`;
    this.#text += `for (let ${name} = 0; ${name} < ${turns}; ${name}++) {\n`;
    body(name);
    this.#text += '}\n';
  }

  /** Leaves the loop around it. */
  breakWhen(test: string): void {
    this.#text += `if (${test}) { break; }\n`;
  }

  when(test: string, body: () => void): void {
    this.#text += `if (${test}) {\n`;
    body();
    this.#text += '}\n';
  }

  /** [⌊whole / size⌋, whole mod size], exact below 2^24. */
  split(whole: string, size: number): readonly [string, string] {
    if (size === 1) return [whole, ZERO];
    const quotient = this.variable('q', `Math.floor(${whole} / ${size})`);
    const rest = this.variable('r', `${whole} - ${quotient} * ${size}`);
    this.when(`${rest} < 0`, () => {
      this.set(quotient, `${quotient} - 1`);
      this.set(rest, `${rest} + ${size}`);
    });
    this.when(`${rest} >= ${size}`, () => {
      this.set(quotient, `${quotient} + 1`);
      this.set(rest, `${rest} - ${size}`);
    });
    return [quotient, rest];
  }

  /** One of several values, by a number that only the thread knows. */
  choose(which: string, values: readonly string[]): string {
    const chosen = this.variable('chosen', values[0]!);
    values.forEach((value, i) => {
      if (i > 0) this.when(`${which} > ${i - 0.5}`, () => this.set(chosen, value));
    });
    return chosen;
  }

  /** The statements alone, for whoever writes the function's head himself. */
  body(result: string): string {
    return `${this.#text}return ${result};`;
  }
}
