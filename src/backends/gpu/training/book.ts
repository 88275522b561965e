import { MOST_INPUTS, type Plan } from './plan.ts';
import { sumRows } from './sums.ts';
import { at, isSignal, widthOf, type Dims, type Tensor } from './tensor.ts';

/** A gradient of the elements from `start` on. */
interface Entry {
  readonly tensor: Tensor;
  readonly start: number;
}

/** What has been given towards the gradients of tensors; added up when somebody reads. */
export class GradientBook {
  readonly #plan: Plan;
  readonly #entries = new Map<Tensor, Entry[]>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  give(of: Tensor, gradient: Tensor, label: string, start = 0): void {
    let tensor = gradient;
    if (!isSignal(of) && isSignal(gradient)) {
      const [width, frames, items] = gradient.dims as readonly [number, number, number];
      tensor = sumRows(this.#plan, {
        label,
        width,
        frames,
        items,
        inputs: { d: gradient },
        term: (frame, item) => `d[${item}][${frame}][this.thread.x]`,
      });
    }
    const entries = this.#entries.get(of);
    if (entries) entries.push({ tensor, start });
    else this.#entries.set(of, [{ tensor, start }]);
  }

  /** The whole gradient; undefined where nothing was given. */
  read(of: Tensor, label: string): Tensor | undefined {
    let entries = this.#entries.get(of);
    if (!entries) return undefined;
    for (;;) {
      const [first] = entries;
      if (entries.length === 1 && first!.start === 0 && widthOf(first!.tensor) === widthOf(of)) {
        return first!.tensor;
      }
      const taken = entries.slice(0, MOST_INPUTS);
      const sum = addUp(this.#plan, taken, of.dims, label);
      entries = [{ tensor: sum, start: 0 }, ...entries.slice(MOST_INPUTS)];
      this.#entries.set(of, entries);
    }
  }
}

function addUp(plan: Plan, entries: readonly Entry[], dims: Dims, label: string): Tensor {
  const names = entries.map((_, i) => `d${i}`);
  const inputs = Object.fromEntries(entries.map(({ tensor }, i) => [names[i]!, tensor]));
  if (entries.every(({ tensor, start }) => start === 0 && widthOf(tensor) === dims[0])) {
    const text = entries.map(({ tensor }, i) => at(names[i]!, tensor, 'this.thread.x')).join(' + ');
    return plan.formula({ label, dims, inputs, text });
  }
  const terms = entries.map(({ tensor, start }, i) => {
    const size = widthOf(tensor);
    if (start === 0 && size === dims[0]) return `sum += ${at(names[i]!, tensor, 'this.thread.x')};`;
    const inside = `this.thread.x >= ${start} && this.thread.x < ${start + size}`;
    return `if (${inside}) { sum += ${at(names[i]!, tensor, `this.thread.x - ${start}`)}; }`;
  });
  return plan.run({
    label,
    dims,
    inputs,
    body: `let sum = 0;\n${terms.join('\n')}\nreturn sum;`,
  });
}
