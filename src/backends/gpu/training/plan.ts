import { inline } from './inline.ts';
import { lengthOf, type Dims, type Tensor } from './tensor.ts';

/** One kernel of a plan. */
export interface KernelCall {
  /** The op's path or what stands for it, for tables of where the time goes. */
  readonly label: string;
  readonly source: string;
  readonly output: Tensor;
  readonly inputs: readonly Tensor[];
  readonly scalars: readonly number[];
}

export interface KernelSpec {
  readonly label: string;
  readonly dims: Dims;
  /** Arrays by the names that the body uses. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** Numbers that kernels of the same text may differ in. */
  readonly scalars?: Readonly<Record<string, number>>;
  /** Statements of gpu.js's JavaScript that return the thread's element. */
  readonly body: string;
}

/** Of the twelve arrays that a kernel is granted, one is its output. */
export const MOST_INPUTS = 11;

/** A formula that reads more arrays, or is longer, becomes an array of its own. */
const MOST_SOURCES = 5;
const MOST_TEXT = 800;

const sourcesOf = ({ expression }: Tensor): number => Object.keys(expression?.inputs ?? {}).length;

/**
 * Kernels in order, built once for a shape of batch. Arguments come from the host at every run (or stay on the
 * device, see `carry`), literals go up once, results come down.
 */
export class Plan {
  readonly calls: KernelCall[] = [];
  readonly arguments: { readonly name: string; readonly tensor: Tensor }[] = [];
  readonly literals = new Map<Tensor, Float32Array>();
  readonly results: { readonly name: string; readonly tensor: Tensor }[] = [];
  #tensors = 0;
  /** Formulas that have become arrays. */
  readonly #arrays = new Map<Tensor, Tensor>();
  readonly #literalsByText = new Map<string, Tensor>();

  argument(name: string, dims: Dims): Tensor {
    const tensor = this.#tensor(dims);
    this.arguments.push({ name, tensor });
    return tensor;
  }

  /** Numbers that never change; equal ones go up once. */
  literal(values: ArrayLike<number>): Tensor {
    // No array on a device may be empty.
    const data = values.length > 0 ? Float32Array.from(values) : new Float32Array(1);
    const text = data.length <= 4096 ? data.join() : undefined;
    const known = text === undefined ? undefined : this.#literalsByText.get(text);
    if (known) return known;
    const tensor = this.#tensor([data.length]);
    this.literals.set(tensor, data);
    if (text !== undefined) this.#literalsByText.set(text, tensor);
    return tensor;
  }

  run({ label, dims, inputs, scalars = {}, body }: KernelSpec): Tensor {
    let found = inline(body, inputs, (tensor) => this.#arrays.get(tensor));
    while (Object.keys(found.inputs).length > MOST_INPUTS) {
      // One of them has to become an array of its own.
      const [widest] = Object.values(inputs)
        .filter((tensor) => tensor.expression && !this.#arrays.has(tensor))
        .sort((a, b) => sourcesOf(b) - sourcesOf(a));
      if (!widest) throw new Error(`${label}: ${Object.keys(found.inputs).length} arrays in one kernel`);
      this.array(widest);
      found = inline(body, inputs, (tensor) => this.#arrays.get(tensor));
    }
    const output = this.#tensor(dims);
    this.calls.push({
      label,
      source: `function (${[...Object.keys(found.inputs), ...Object.keys(scalars)].join(', ')}) {\n${found.text}\n}`,
      output,
      inputs: Object.values(found.inputs),
      scalars: Object.values(scalars),
    });
    return output;
  }

  /**
   * An element by element formula that need be no array: kernels that read it work it out for themselves. `text` is the
   * thread's element.
   */
  formula({
    label,
    dims,
    inputs,
    text,
  }: Omit<KernelSpec, 'body' | 'scalars'> & { readonly text: string }): Tensor {
    const found = inline(text, inputs, (tensor) => this.#arrays.get(tensor));
    if (Object.keys(found.inputs).length > MOST_SOURCES || found.text.length > MOST_TEXT) {
      return this.run({ label, dims, inputs, body: `return ${text};` });
    }
    return { ...this.#tensor(dims), expression: { label, inputs: found.inputs, text: found.text } };
  }

  /** The tensor as an array: made where it has been a formula until now. */
  array(tensor: Tensor): Tensor {
    const { expression, dims } = tensor;
    if (!expression) return tensor;
    let array = this.#arrays.get(tensor);
    if (!array) {
      const { label, inputs, text } = expression;
      array = this.run({ label, dims, inputs, body: `return ${text};` });
      this.#arrays.set(tensor, array);
    }
    return array;
  }

  result(name: string, tensor: Tensor): void {
    this.results.push({ name, tensor: this.array(tensor) });
  }

  /** Numbers of all arrays that the plan makes, were none to share memory. */
  get elements(): number {
    return this.calls.reduce((sum, { output }) => sum + lengthOf(output.dims), 0);
  }

  #tensor(dims: Dims): Tensor {
    return { id: this.#tensors++, dims };
  }
}
