import { FormatError } from '../../errors.ts';
import { gradientOn } from '../backend.ts';
import type { Run, Subject, Way } from '../case.ts';
import { deviation, worst } from '../compare.ts';
import type { Golden } from '../golden.ts';
import { framesOf } from '../layout.ts';
import { inputsOf, join } from '../open.ts';

/** The loss whose gradient a file holds: L = Σᵢ weight(i) y[i], i the flat index in the official layout. */
export interface Loss {
  /** The official tensor y. */
  readonly tensor: string;
  readonly weight: (flatIndex: number) => number;
}

/**
 * The loss that a file's note states: `sum(y*cos(0.1*flat_index))` or `output.sum()`.
 *
 * @throws FormatError where the note states none.
 */
export function lossOf({ note, path, has }: Golden): Loss {
  const cosine = /sum\(([\w.]+)\*cos\(0\.1\*flat_index(?:\(\w+\))?\)\)/.exec(note);
  // The notes call the tensor `output`, or y.
  if (cosine) return { tensor: has(cosine[1]) ? cosine[1] : 'output', weight: (i) => Math.cos(0.1 * i) };
  const sum = /([\w.]+)\.sum\(\)/.exec(note);
  if (sum) return { tensor: has(sum[1]) ? sum[1] : 'output', weight: () => 1 };
  throw new FormatError(
    `${path}: the note does not state the loss whose gradient the file holds; write sum(y*cos(0.1*flat_index))`,
  );
}

/**
 * Every `grad.*` of the file, by the ops' adjoints: a parameter's over the whole batch, an input's item by item.
 *
 * @param loss where the note does not state it.
 */
export function grad(subject: Subject, loss?: Loss): Way {
  const { golden, runs } = subject;
  const tensors = [...golden.checkpoint.tensors.keys()].filter((name) => name.startsWith('grad.'));
  return {
    tensors,
    async measure() {
      const { tensor, weight } = loss ?? lossOf(golden);
      const run = runs.find(({ outputs }) => Object.values(outputs).includes(tensor));
      if (run === undefined)
        throw new FormatError(`${golden.path}: the loss is of "${tensor}", which nothing runs`);
      const { parameters, inputs } = await gradientsOf(subject, run, tensor, weight);
      return worst(
        tensors.map((name) => {
          const { shape, values } = golden.tensor(name);
          const of = name.slice('grad.'.length);
          const port = Object.entries(run.inputs).find(([, input]) => input === of)?.[0];
          if (port !== undefined) {
            const official = framesOf(shape, values, golden.layoutOf(of)).items;
            return deviation(join(inputs.map((item) => item[port])), join(official), name);
          }
          const ours = parameters.get(of);
          if (ours === undefined)
            return { error: Infinity, place: `${name} is of no parameter and no input of the model` };
          return deviation(ours, values, name);
        }),
      );
    },
  };
}

async function gradientsOf(
  subject: Subject,
  run: Run,
  tensor: string,
  weight: (flatIndex: number) => number,
): Promise<{
  parameters: Map<string, Float64Array>;
  inputs: Readonly<Record<string, Float64Array>>[];
}> {
  const { golden } = subject;
  const { shape } = golden.tensor(tensor);
  const size = shape.reduce((a, b) => a * b, 1);
  const seeds = framesOf(
    shape,
    Float64Array.from({ length: size }, (_, i) => weight(i)),
    golden.layoutOf(tensor),
  );
  const parameters = new Map<string, Float64Array>();
  const { model, sampleRate, irregular } = run;
  const inputs: Readonly<Record<string, Float64Array>>[] = [];
  for (const [b, item] of inputsOf(subject, run).entries()) {
    const result = await gradientOn(subject.settings.backend)(
      model,
      run.parameters,
      item,
      (outputs) =>
        Object.fromEntries(
          Object.entries(outputs).map(([port, y]) => [
            port,
            run.outputs[port] === tensor ? seeds.items[b] : new Float64Array(y.length),
          ]),
        ),
      { sampleRate, irregular },
    );
    for (const [name, values] of result.parameters) {
      const sum = parameters.get(name);
      if (sum) values.forEach((value, i) => (sum[i] += value));
      else parameters.set(name, Float64Array.from(values));
    }
    inputs.push(result.inputs);
  }
  return { parameters, inputs };
}
