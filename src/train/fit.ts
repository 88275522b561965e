import { setImmediate } from 'node:timers/promises';
import { ArgumentError, TrainingError } from '../errors.ts';
import { traceModel, type FloatArray, type Graph, type Model } from '../signal/index.ts';
import { checkParameters, type Parameters } from '../stream/constants.ts';
import { adamw } from './adamw.ts';
import { oneAhead } from './ahead.ts';
import { loadRun, saveRun } from './checkpoint.ts';
import { checkEma, rounded, updateEma, type MeanWeights } from './ema.ts';
import { checkOptions, type FitOptions, type FitResult } from './fit-options.ts';
import { drawMasks, forTraining, type TrainingGraph } from './for-training.ts';
import type { EpochRecord, StepRecord } from './history.ts';
import type { Optimizer } from './optimizer.ts';
import { terminalProgress, type TrainingProgress } from './progress.ts';
import { beginning, type RunPlace, type RunState, type Weights } from './run-state.ts';
import { constantRate, type RateSchedule } from './schedule.ts';
import type { Batch, SessionState, TrainingSession } from './session.ts';
import { validate } from './validate.ts';

/**
 * Trains a model: batches forward, every op's adjoint in reverse, AdamW; epoch after epoch until the last, or until
 * the validation stops getting better, or until `signal` says so.
 *
 * A run is a function of the model, its initial weights, the data, these options and the backend: run again it ends in
 * the same weights, bit for bit, however often it was killed and resumed in between.
 *
 * @param parameters initial weights, as from `initialise` or a checkpoint.
 * @throws TrainingError where the loss is no finite number any more, and for a checkpoint of another run.
 * @throws ArgumentError for options that cannot be.
 * @example
 * const model = s4d({ features: 1, states: 16 });
 * const { best } = await fit(model, initialise(model, 1), {
 *   data,
 *   loss: mse(),
 *   epochs: 20,
 * });
 * const stream = compile(model, best.parameters);
 */
export async function fit(model: Model, parameters: Parameters, options: FitOptions): Promise<FitResult> {
  const run = new Run(traceModel(model), parameters, options);
  return run.go();
}

/** One run, from its beginning or from a checkpoint. */
class Run {
  readonly #options: FitOptions;
  readonly #training: TrainingGraph;
  readonly #initial: ReadonlyMap<string, FloatArray>;
  readonly #optimizer: Optimizer;
  readonly #schedule: RateSchedule;
  readonly #settings: RunState['settings'];
  readonly #ema: ReturnType<typeof checkEma> | undefined;
  #place: RunPlace;
  #best: ReadonlyMap<string, Float32Array> | undefined;
  #mean: MeanWeights | undefined;
  #progress: TrainingProgress | undefined;

  constructor(graph: Graph, parameters: Parameters, options: FitOptions) {
    checkOptions(options);
    this.#options = options;
    this.#training = forTraining(graph);
    this.#initial = checkParameters(graph, parameters);
    this.#optimizer = options.optimizer ?? adamw();
    this.#schedule = options.schedule ?? constantRate();
    this.#ema = options.ema === undefined ? undefined : checkEma(options.ema);
    this.#mean =
      this.#ema && new Map([...this.#initial].map(([name, data]) => [name, Float64Array.from(data)]));
    this.#place = beginning(this.#schedule.begin());
    this.#settings = this.#describe(graph);
  }

  async go(): Promise<FitResult> {
    const { checkpoint, loss, sampleRate, data, epochs } = this.#options;
    const backend = this.#options.backend ?? (await import('./cpu/cpu.ts')).cpu();
    const found =
      checkpoint?.resume === true
        ? loadRun(checkpoint.path, this.#training.graph, this.#settings)
        : undefined;
    const session = await backend.open({
      graph: this.#training.graph,
      loss,
      optimizer: this.#optimizer,
      parameters: this.#initial,
      sampleRate,
    });
    try {
      if (found !== undefined) {
        await session.restore(found.session);
        this.#place = found.place;
        this.#best = found.best;
        this.#mean = found.ema;
      }
      const { progress } = this.#options;
      this.#progress =
        progress === true
          ? await terminalProgress(this.#optimizer.settingsOf('').rate)
          : progress || undefined;
      const { step, epoch } = this.#place;
      const steps = epochs * data.batchesPerEpoch;
      this.#progress?.start({ steps, epochs, at: step, backend: session.name });
      this.#options.onStart?.({ backend: session.name, step, epoch, steps });
      const stopped = await this.#train(session);
      return await this.#result(session, stopped);
    } finally {
      this.#progress?.stop();
      await session.close();
    }
  }

  async #train(session: TrainingSession): Promise<FitResult['stopped']> {
    const { epochs, patience = Infinity } = this.#options;
    while (this.#place.epoch < epochs) {
      if (this.#place.since > patience) return 'patience';
      if (!(await this.#epoch(session)) || !(await this.#closeEpoch(session))) {
        await this.#save(session);
        return 'aborted';
      }
      await this.#save(session);
    }
    return 'epochs';
  }

  /** The batches that are left of an epoch; false where it was stopped. */
  async #epoch(session: TrainingSession): Promise<boolean> {
    const { data, signal, checkpoint } = this.#options;
    const place = this.#place;
    if (place.batch === data.batchesPerEpoch) return true;
    for await (const batch of oneAhead(data.batches(place.epoch, place.batch))) {
      if (signal?.aborted === true) return false;
      await this.#step(session, batch);
      // A backend in this thread never waits for anything: signals and timers get their turn here.
      await setImmediate();
      const { everySteps = Infinity } = checkpoint ?? {};
      if (place.batch === data.batchesPerEpoch) return true;
      if (place.step % everySteps === 0) await this.#save(session);
    }
    throw new ArgumentError(
      `the data say that an epoch has ${data.batchesPerEpoch} batches, but epoch ${place.epoch} ended after ${place.batch}; ` +
        'mend batchesPerEpoch',
    );
  }

  async #step(session: TrainingSession, batch: Batch): Promise<void> {
    const { epochs, data, seed = 0 } = this.#options;
    const place = this.#place;
    const { step, epoch } = place;
    const rate = this.#schedule.rate({ step, steps: epochs * data.batchesPerEpoch }, place.schedule);
    const drawn = drawMasks(this.#training.masks, batch, { seed, step });
    const { loss, gradientNorm } = await session.step(drawn, { step, rate });
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm))
      await this.#refuse(session, loss, gradientNorm);
    place.step++;
    place.batch++;
    place.sums.loss += loss * batch.items;
    place.sums.gradientNorm += gradientNorm * batch.items;
    place.sums.items += batch.items;
    if (this.#mean !== undefined && place.step % this.#ema!.every === 0) {
      updateEma(
        this.#mean,
        (await session.save()).parameters,
        this.#ema!.decay ** this.#ema!.every,
        place.emaUpdates++,
      );
    }
    const record: StepRecord = { step, epoch, loss, gradientNorm, rate };
    this.#progress?.step(record);
    this.#options.onStep?.(record);
  }

  /** Weights are as before the step that failed: they are saved, and the run ends. */
  async #refuse(session: TrainingSession, loss: number, norm: number): Promise<never> {
    await this.#save(session);
    const { step, epoch, batch } = this.#place;
    const { checkpoint } = this.#options;
    throw new TrainingError(
      `${Number.isFinite(loss) ? `the gradient's norm is ${norm}` : `the loss is ${loss}`} in step ${step} (epoch ${epoch}, ` +
        `batch ${batch}); ${checkpoint === undefined ? 'nothing of the run was saved' : `the run up to there is in ${checkpoint.path}`}. ` +
        'Lower the learning rate or clip the gradient further, and look at the data of that batch',
    );
  }

  /** Validation, records, and the counters of the next epoch; false where it was stopped. */
  async #closeEpoch(session: TrainingSession): Promise<boolean> {
    const { validation, metrics = [], monitor = 'loss', signal, epochs, data } = this.#options;
    const place = this.#place;
    const mean = (sum: number): number => sum / place.sums.items;
    const state = validation || this.#mean ? await this.#shown(session) : undefined;
    let found: Awaited<ReturnType<typeof validate>>;
    if (validation !== undefined) {
      const back = this.#mean && (await session.save());
      if (back) await session.restore({ ...back, parameters: state! });
      found = await validate(session, this.#training, validation, metrics, signal);
      if (back) await session.restore(back);
      if (found === undefined) return false;
    }
    const { step, steps } = { step: place.step - 1, steps: epochs * data.batchesPerEpoch };
    const record: EpochRecord = {
      epoch: place.epoch,
      steps: place.step,
      loss: mean(place.sums.loss),
      gradientNorm: mean(place.sums.gradientNorm),
      rate: this.#schedule.rate({ step, steps }, place.schedule),
      ...(found === undefined ? {} : { validation: found.loss }),
      ...(found === undefined || metrics.length === 0 ? {} : { metrics: found.metrics }),
    };
    if (found !== undefined) {
      const metric = metrics.find(({ kind }) => kind === monitor);
      const value = metric === undefined ? found.loss : found.metrics[metric.kind]!;
      const score = metric?.higherIsBetter === true ? -value : value;
      if (place.best === null || score < place.best.score) {
        place.best = { score, epoch: place.epoch + 1, loss: found.loss };
        place.since = 0;
        this.#best = state;
      } else place.since++;
    }
    place.schedule = this.#schedule.observe(found?.loss ?? record.loss, place.schedule);
    place.history.push(record);
    place.epoch++;
    place.batch = 0;
    place.sums = { loss: 0, gradientNorm: 0, items: 0 };
    this.#progress?.epoch(record);
    this.#options.onEpoch?.(record);
    return true;
  }

  /** The weights that are validated and returned: the mean where one is kept. */
  async #shown(session: TrainingSession): Promise<SessionState['parameters']> {
    return this.#mean === undefined ? (await session.save()).parameters : rounded(this.#mean);
  }

  async #save(session: TrainingSession): Promise<void> {
    const { checkpoint } = this.#options;
    if (checkpoint === undefined) return;
    saveRun(checkpoint.path, this.#training.graph, {
      place: this.#place,
      session: await session.save(),
      best: this.#best,
      ema: this.#mean,
      settings: this.#settings,
    });
  }

  async #result(session: TrainingSession, stopped: FitResult['stopped']): Promise<FitResult> {
    const { history, epoch, best, step } = this.#place;
    const parameters = await this.#shown(session);
    const newest = history.at(-1);
    const last: Weights = { parameters, epoch, loss: newest?.validation ?? newest?.loss ?? Number.NaN };
    return {
      best: best === null ? last : { parameters: this.#best!, epoch: best.epoch, loss: best.loss },
      last,
      history,
      steps: step,
      stopped,
      backend: session.name,
    };
  }

  /** What has to be the same for a run to go on. How long it runs, and what it is told to tell, may change. */
  #describe(graph: Graph): RunState['settings'] {
    const { loss, data, seed = 0, monitor = 'loss', sampleRate = null } = this.#options;
    const { beta1, beta2, eps, clip } = this.#optimizer;
    const { kind, options } = this.#schedule;
    return {
      model: [...graph.parameters].map(([name, { shape }]) => [name, shape]),
      loss: { kind: loss.kind, options: loss.options },
      // Infinity is no JSON.
      optimizer: { beta1, beta2, eps, clip: String(clip) },
      rates: [...graph.parameters.keys()].map((name) => this.#optimizer.settingsOf(name)),
      schedule: { kind, options },
      ema: this.#ema ?? null,
      seed,
      monitor,
      sampleRate,
      'batches an epoch': data.batchesPerEpoch,
    };
  }
}
