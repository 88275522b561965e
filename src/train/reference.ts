import { ArgumentError, BackendError } from '../errors.ts';
import { checkParameters } from '../stream/constants.ts';
import type { FloatArray } from '../signal/index.ts';
import { adamwStep, clippingFactor } from './adamw-step.ts';
import { backward } from './gradient.ts';
import { inputsOf, targetsOf } from './item.ts';
import type { LossOutput } from './loss.ts';
import type {
  Batch,
  BatchGradients,
  Evaluation,
  SessionState,
  StepReport,
  TrainingBackend,
  TrainingJob,
  TrainingSession,
} from './session.ts';
import { recordGraph, type EvaluateOptions, type Tape } from './tape.ts';

export interface ReferenceTrainingOptions {
  /** `step` (default): every op by its definition. `long`: by its faster form where it has one. */
  readonly form?: EvaluateOptions['form'];
}

/**
 * Training by every op's own `step` and `adjoint`, in float64, on one thread, one sequence after the other at its own
 * length: slow, obvious, and what every other backend is compared with. Weights and moments are kept in float32, as
 * checkpoints hold them, so that what is saved is all there is.
 *
 * @example
 * const { best } = await fit(model, parameters, { data, loss: mse(), epochs: 10, backend: referenceTraining() });
 */
export const referenceTraining = (options: ReferenceTrainingOptions = {}): TrainingBackend => ({
  name: 'reference',
  open: (job) => Promise.resolve(new ReferenceSession(job, options)),
});

class ReferenceSession implements TrainingSession {
  readonly name = 'reference';
  readonly #job: TrainingJob;
  readonly #options: Omit<EvaluateOptions, 'irregular'>;
  readonly #weights = new Map<string, Float32Array>();
  readonly #moments = new Map<string, Float32Array>();

  constructor(job: TrainingJob, { form = 'step' }: ReferenceTrainingOptions) {
    this.#job = job;
    this.#options = { form, sampleRate: job.sampleRate };
    for (const [name, values] of checkParameters(job.graph, job.parameters)) {
      this.#weights.set(name, Float32Array.from(values));
      for (const moment of ['m', 'v'])
        this.#moments.set(`${name}.${moment}`, new Float32Array(values.length));
    }
  }

  async step(batch: Batch, at: { readonly step: number; readonly rate: number }): Promise<StepReport> {
    const { loss, slopes } = this.#slopes(batch);
    let squares = 0;
    for (const values of slopes.values()) for (const slope of values) squares += slope * slope;
    const gradientNorm = Math.sqrt(squares);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) return { loss, gradientNorm };
    const { optimizer } = this.#job;
    const scale = clippingFactor(gradientNorm, optimizer.clip);
    for (const [name, values] of this.#weights) {
      const [m, v] = [this.#moments.get(`${name}.m`)!, this.#moments.get(`${name}.v`)!];
      adamwStep(values, slopes.get(name)!, m, v, optimizer, optimizer.settingsOf(name), { ...at, scale });
    }
    return { loss, gradientNorm };
  }

  async evaluate(batch: Batch): Promise<Evaluation> {
    this.#refuseCarried(batch);
    let loss = 0;
    const outputs: Record<string, Float32Array[]> = {};
    for (let item = 0; item < batch.items; item++) {
      const tape = this.#record(inputsOf(this.#job.graph, batch, item));
      const found = outputsOf(tape);
      loss += this.#job.loss.evaluate({ outputs: found, targets: targetsOf(batch, item) }) / batch.items;
      for (const [port, { data }] of Object.entries(found))
        (outputs[port] ??= []).push(Float32Array.from(data));
    }
    return {
      loss,
      outputs: Object.fromEntries(Object.entries(outputs).map(([port, all]) => [port, packed(all)])),
    };
  }

  async gradients(batch: Batch): Promise<BatchGradients> {
    const { loss, slopes } = this.#slopes(batch);
    return {
      loss,
      parameters: new Map([...slopes].map(([name, values]) => [name, Float32Array.from(values)])),
    };
  }

  async save(): Promise<SessionState> {
    return { parameters: copied(this.#weights), moments: copied(this.#moments) };
  }

  async restore({ parameters, moments }: SessionState): Promise<void> {
    for (const [into, from] of [
      [this.#weights, parameters],
      [this.#moments, moments],
    ] as const) {
      for (const [name, values] of into) {
        const given = from.get(name);
        if (given?.length !== values.length) {
          throw new ArgumentError(
            `the state to be restored has ${given === undefined ? 'no' : `${given.length} numbers of`} "${name}", the model ` +
              `${values.length}; restore what a session of the same model has saved`,
          );
        }
        values.set(given);
      }
    }
  }

  async close(): Promise<void> {}

  #refuseCarried({ carried }: Batch): void {
    if (carried === true) {
      throw new BackendError(
        'the reference begins every sequence with a fresh state and carries none from batch to batch; train with cpu(), ' +
          'or on whole sequences',
      );
    }
  }

  #record(inputs: Readonly<Record<string, FloatArray>>): Tape {
    return recordGraph(this.#job.graph, this.#weights, inputs, this.#options);
  }

  /** The mean loss, and its slope by every parameter, in float64. */
  #slopes(batch: Batch): { readonly loss: number; readonly slopes: Map<string, Float64Array> } {
    this.#refuseCarried(batch);
    const slopes = new Map(
      [...this.#weights].map(([name, values]) => [name, new Float64Array(values.length)]),
    );
    let loss = 0;
    for (let item = 0; item < batch.items; item++) {
      const inputs = inputsOf(this.#job.graph, batch, item);
      const tape = this.#record(inputs);
      const { parameters } = backward(tape, inputs, () => {
        const outputs = outputsOf(tape, true);
        loss += this.#job.loss.evaluate({ outputs, targets: targetsOf(batch, item) }) / batch.items;
        return Object.fromEntries(Object.entries(outputs).map(([port, { gradient }]) => [port, gradient!]));
      });
      for (const [name, values] of parameters) {
        const sum = slopes.get(name)!;
        for (let i = 0; i < sum.length; i++) sum[i]! += values[i]! / batch.items;
      }
    }
    return { loss, slopes };
  }
}

function outputsOf({ graph, sequences, frames }: Tape, withGradient = false): Record<string, LossOutput> {
  return Object.fromEntries(
    [...graph.outputs].map(([port, node]) => {
      const { data, origin, width } = sequences.get(node)!;
      const count = frames.get(node)!;
      return [
        port,
        {
          frames: count,
          channels: width,
          data: data.subarray(origin, origin + count * width),
          gradient: withGradient ? new Float64Array(count * width) : undefined,
        },
      ];
    }),
  );
}

/** Items of different lengths side by side, zeros behind the shorter ones. */
function packed(items: readonly Float32Array[]): Float32Array {
  const size = Math.max(...items.map(({ length }) => length));
  const all = new Float32Array(items.length * size);
  items.forEach((item, i) => all.set(item, i * size));
  return all;
}

const copied = (values: ReadonlyMap<string, Float32Array>): Map<string, Float32Array> =>
  new Map([...values].map(([name, data]) => [name, data.slice()]));
