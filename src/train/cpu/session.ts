import { countSequence } from '../../backends/wasm/train/sequence-places.ts';
import { ArgumentError, BackendError, StreamError } from '../../errors.ts';
import { sizeOf, type FloatArray } from '../../signal/index.ts';
import { checkParameters, environmentAt } from '../../stream/constants.ts';
import { adamwStep, clippingFactor } from '../adamw-step.ts';
import type {
  Batch,
  BatchGradients,
  Evaluation,
  SessionState,
  StepReport,
  TrainingJob,
  TrainingSession,
} from '../session.ts';
import type { Carried } from '../../backends/wasm/train/carry.ts';
import { isMask } from '../masks.ts';
import { ConstantPart } from './constants.ts';
import { itemsOf, type Share, type ShareResult } from './items.ts';
import { openRunner, type Runner } from './pool.ts';

export interface SessionOptions {
  readonly workers: number;
  readonly deterministic: boolean;
}

interface Moments {
  readonly m: Float32Array;
  readonly v: Float32Array;
}

/**
 * A model in training on the CPU. Weights and moments are float32 in this thread; a batch is shared out in stretches of
 * neighbouring items, one a thread, and gradients are summed in float64 in the order of items, then of threads: the same
 * number of threads gives the same bits.
 */
export class CpuSession implements TrainingSession {
  readonly name: string;
  /** Names of ops that run the reference's code, for want of a kernel. */
  readonly fallbacks: readonly string[];
  readonly #job: TrainingJob;
  readonly #constants: ConstantPart;
  readonly #runner: Runner;
  readonly #weights: Map<string, Float32Array>;
  readonly #moments: Map<string, Moments>;
  #carried: { readonly batch: readonly Carried[]; readonly unaligned: string | undefined } | undefined;

  constructor(job: TrainingJob, options: SessionOptions) {
    this.#job = job;
    const { graph, optimizer, parameters } = job;
    const checked = checkParameters(graph, parameters);
    this.#weights = new Map([...checked].map(([name, values]) => [name, Float32Array.from(values)]));
    this.#moments = new Map(
      [...checked].map(([name, { length }]) => [
        name,
        { m: new Float32Array(length), v: new Float32Array(length) },
      ]),
    );
    this.#constants = new ConstantPart(
      graph,
      environmentAt(graph, job.sampleRate),
      (name) => optimizer.settingsOf(name).rate !== 0,
    );
    this.#runner = openRunner(graph, {
      ...options,
      loss: job.loss,
      trained: this.#constants.trained,
    });
    this.fallbacks = this.#runner.fallbacks;
    const { threads, kernels } = this.#runner;
    const slow = this.fallbacks.length > 0 ? ` (without a kernel: ${this.fallbacks.join(', ')})` : '';
    this.name = `${kernels}, ${threads} ${threads === 1 ? 'thread' : 'threads'}${slow}`;
  }

  async step(batch: Batch, at: { readonly step: number; readonly rate: number }): Promise<StepReport> {
    const { loss, gradients, results } = await this.#gradients(batch);
    const { optimizer } = this.#job;
    let squares = 0;
    for (const values of gradients.values()) for (const value of values) squares += value * value;
    const gradientNorm = Math.sqrt(squares);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) return { loss, gradientNorm };
    this.#leave(batch, results);
    const scale = clippingFactor(gradientNorm, optimizer.clip);
    for (const [name, weights] of this.#weights) {
      const { m, v } = this.#moments.get(name)!;
      adamwStep(weights, gradients.get(name)!, m, v, optimizer, optimizer.settingsOf(name), { ...at, scale });
    }
    return { loss, gradientNorm };
  }

  async gradients(batch: Batch): Promise<BatchGradients> {
    const { loss, gradients } = await this.#gradients(batch);
    return {
      loss,
      parameters: new Map([...gradients].map(([name, values]) => [name, Float32Array.from(values)])),
    };
  }

  async evaluate(batch: Batch): Promise<Evaluation> {
    const results = await this.#run(batch, false);
    const { graph } = this.#job;
    const items = results.flatMap((result) => result.outputs);
    const frames = countSequence(
      graph,
      new Map(
        [...graph.inputs].map(([port, node]) => [
          node,
          // Masks limit nothing.
          isMask(port) ? Infinity : batch.frames + graph.endPadding(batch.frames),
        ]),
      ),
    ).frames;
    const outputs = Object.fromEntries(
      [...graph.outputs].map(([port, node]) => {
        const most = Math.max(0, ...items.map((item) => item[port]!.length));
        const rate = node.rate === 'constant' ? 0 : node.rate.numerator / node.rate.denominator;
        const whole = rate === 0 ? 1 : Math.min(frames.get(node)!, Math.ceil(batch.frames * rate));
        const size = Math.max(most, whole * sizeOf(node.shape));
        const all = new Float32Array(size * batch.items);
        items.forEach((item, i) => all.set(item[port]!, i * size));
        return [port, all];
      }),
    );
    return { loss: meanLoss(results, batch.items), outputs };
  }

  save(): Promise<SessionState> {
    return Promise.resolve({
      parameters: new Map([...this.#weights].map(([name, values]) => [name, values.slice()])),
      moments: new Map(
        [...this.#moments].flatMap(([name, { m, v }]) => [
          [`${name}.m`, m.slice()],
          [`${name}.v`, v.slice()],
        ]),
      ),
      ...(this.#carried && this.#carried.unaligned === undefined
        ? {
            carried: new Map(
              this.#carried.batch.flatMap((item, i) =>
                [...item].map(([name, data]) => [`${i}:${name}`, data.slice()]),
              ),
            ),
          }
        : {}),
    });
  }

  restore({ parameters, moments, carried }: SessionState): Promise<void> {
    const pairs: [Float32Array, FloatArray][] = [];
    const find = (from: ReadonlyMap<string, FloatArray>, name: string, to: Float32Array): void => {
      const values = from.get(name);
      if (values?.length !== to.length) {
        throw new ArgumentError(
          `the saved session has ${values === undefined ? 'no' : `${values.length} values of`} "${name}", the model ` +
            `needs ${to.length}; restore a session of this model`,
        );
      }
      pairs.push([to, values]);
    };
    return new Promise((resolve) => {
      for (const [name, values] of this.#weights) {
        find(parameters, name, values);
        find(moments, `${name}.m`, this.#moments.get(name)!.m);
        find(moments, `${name}.v`, this.#moments.get(name)!.v);
      }
      for (const [to, from] of pairs) to.set(from);
      this.#carried = carried && { batch: itemsCarried(carried), unaligned: undefined };
      resolve();
    });
  }

  close(): Promise<void> {
    return this.#runner.close();
  }

  async #gradients(batch: Batch): Promise<{
    loss: number;
    gradients: Map<string, Float64Array>;
    results: readonly ShareResult[];
  }> {
    const results = await this.#run(batch, true);
    const sums = new Map<number, Float64Array>();
    for (const { gradients } of results) {
      for (const [id, values] of gradients) {
        const sum = sums.get(id);
        if (sum === undefined) sums.set(id, values);
        else for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
      }
    }
    for (const sum of sums.values()) for (let i = 0; i < sum.length; i++) sum[i]! /= batch.items;
    return { loss: meanLoss(results, batch.items), gradients: this.#constants.back(sums), results };
  }

  async #run(batch: Batch, training: boolean): Promise<ShareResult[]> {
    const { graph } = this.#job;
    checkBatch(graph.inputs.keys(), batch);
    const from = batch.carried === true ? this.#goOnFrom(batch) : undefined;
    const parameters = new Map([...this.#weights].map(([name, values]) => [name, Float64Array.from(values)]));
    const constants = this.#constants.forward(parameters);
    const read = new Map<number, Float64Array>();
    for (const node of graph.nodes) {
      if (node.rate === 'constant') continue;
      for (const input of node.inputs) {
        if (input.rate === 'constant') read.set(input.id, constants.get(input.id)!);
      }
    }
    const items = itemsOf(graph, batch, from);
    // A batch that nobody can go on from leaves nothing.
    const carries = training && this.#runner.notCarried.length === 0;
    const threads = Math.min(this.#runner.threads, items.length);
    const shares = Array.from({ length: threads }, (_, i): Share => {
      const first = Math.floor((i * items.length) / threads);
      const last = Math.floor(((i + 1) * items.length) / threads);
      return { items: items.slice(first, last), constants: read, training, outputs: !training, carries };
    });
    return this.#runner.run(shares);
  }

  /** What the items of the batch before left. */
  #goOnFrom({ items }: Batch): readonly Carried[] | undefined {
    const { notCarried } = this.#runner;
    if (notCarried.length > 0) {
      throw new BackendError(
        `${this.#job.graph.name} can't be carried on from batch to batch: ${notCarried.join(', ')} ` +
          'looks ahead, needs the end of its input, or has no state to begin from; train on whole sequences, or leave it out',
      );
    }
    const carried = this.#carried;
    if (carried === undefined) return undefined;
    if (carried.batch.length !== items) {
      throw new StreamError(
        `a carried batch has ${items} items, the one before had ${carried.batch.length}; item i goes on where item i ended`,
      );
    }
    if (carried.unaligned !== undefined) throw new StreamError(carried.unaligned);
    return carried.batch;
  }

  /** Notes what a batch leaves, once its step is taken. */
  #leave(batch: Batch, results: readonly ShareResult[]): void {
    const left = results.flatMap(({ carried }) => carried);
    if (left.length === 0) return;
    this.#carried = { batch: left, unaligned: this.#unaligned(batch) };
  }

  /** Why a batch of these lengths can't be gone on from: some op has taken part of a firing. */
  #unaligned({ lengths }: Batch): string | undefined {
    for (const { rate, path } of this.#job.graph.nodes) {
      if (rate === 'constant' || rate.denominator === 1) continue;
      const length = lengths.find((frames) => (frames * rate.numerator) % rate.denominator !== 0);
      if (length !== undefined) {
        return (
          `${path} runs at ${rate.numerator}/${rate.denominator} of the input's rate, and ${length} frames are no whole ` +
          `number of its own: batches that are carried on need a multiple of ${rate.denominator}`
        );
      }
    }
    return undefined;
  }
}

/** From `<item>:<name>` to one map an item. */
function itemsCarried(carried: ReadonlyMap<string, FloatArray>): Carried[] {
  const items: Map<string, FloatArray>[] = [];
  for (const [key, data] of carried) {
    const colon = key.indexOf(':');
    (items[Number(key.slice(0, colon))] ??= new Map()).set(key.slice(colon + 1), data);
  }
  return items;
}

const meanLoss = (results: readonly ShareResult[], items: number): number =>
  results.flatMap(({ losses }) => losses).reduce((sum, loss) => sum + loss, 0) / items;

function checkBatch(ports: Iterable<string>, { items, frames, lengths, inputs }: Batch): void {
  for (const port of ports) {
    const data = inputs[port];
    if (data === undefined || items < 1 || data.length % items !== 0) {
      throw new StreamError(
        `a batch of ${items} items brings ${data?.length ?? 'no'} values for the input "${port}"; give items × frames × channels`,
      );
    }
  }
  const bad = lengths.findIndex((length) => !(Number.isInteger(length) && length >= 0 && length <= frames));
  if (lengths.length !== items || bad >= 0) {
    throw new StreamError(
      `a batch of ${items} items of ${frames} frames has ${lengths.length} lengths${bad >= 0 ? `, item ${bad}'s is ${lengths[bad]}` : ''}; give each item's frames`,
    );
  }
}
