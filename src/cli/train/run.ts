import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { initialise } from '../../layers/index.ts';
import { loadModel, saveModel } from '../../models/index.ts';
import {
  cpu,
  fit,
  lossCurve,
  referenceTraining,
  terminalProgress,
  withFallback,
  type FitResult,
  type TrainingBackend,
} from '../../train/index.ts';
import { openSource, prefetch, type DataSource } from '../../train/data/index.ts';
import { BackendError } from '../../errors.ts';
import { UsageError } from '../support/failure.ts';
import { readConfig, type Description, type Overrides, type TrainConfig } from './config.ts';
import { openLog, type TrainingLog } from './log.ts';

export interface TrainOptions extends Overrides {
  /** Goes on with the run in the folder. */
  readonly resume?: boolean;
  /** Overwrites it. */
  readonly fresh?: boolean;
  readonly json?: boolean;
}

/** `statewave train CONFIG`: reads, trains, writes the folder. */
export async function train(file: string, options: TrainOptions): Promise<void> {
  const config = readConfig(file, options);
  const paths = pathsOf(config.out);
  refuseOverwriting(paths, options);
  const abort = new AbortController();
  const interrupted = listen(abort);
  const sources: DataSource[] = [];
  let log: TrainingLog | undefined;
  try {
    const parameters =
      config.model.init === undefined ? initialise(config.model.made, config.seed) : startingFrom(config);
    const data = await opened(config.data, config.prefetch, sources);
    const validation = config.validation && (await opened(config.validation, config.prefetch, sources));
    mkdirSync(config.out, { recursive: true });
    const result = await fit(config.model.made, parameters, {
      ...config,
      data,
      validation,
      backend: await backendOf(config),
      sampleRate: config.model.made.sampleRate === undefined ? undefined : data.facts.sampleRate,
      checkpoint: { path: paths.run, everySteps: config.everySteps, resume: options.resume ?? false },
      signal: abort.signal,
      progress: await terminalProgress(config.rate),
      onStart(run) {
        log = openLog(paths.log, run);
      },
      onStep: (record) => log!.write({ kind: 'step', ...record }),
      onEpoch: (record) => log!.write({ kind: 'epoch', ...record }),
    });
    await writeResults(config, paths, result, log!);
    console.log(options.json === true ? JSON.stringify(summary(result, paths)) : described(result, paths));
    const signal = interrupted();
    if (signal !== undefined) process.exitCode = 128 + constants.signals[signal];
  } finally {
    interrupted.stop();
    log?.close();
    await Promise.all(sources.map((source) => source.close()));
  }
}

interface Paths {
  readonly run: string;
  readonly weights: string;
  readonly curve: string;
  readonly log: string;
}

const pathsOf = (out: string): Paths => ({
  run: join(out, 'run.safetensors'),
  weights: join(out, 'weights.safetensors'),
  curve: join(out, 'curve.svg'),
  log: join(out, 'log.jsonl'),
});

function refuseOverwriting({ run }: Paths, { resume = false, fresh = false }: TrainOptions): void {
  if (resume && fresh)
    throw new UsageError('train', '--resume and --fresh contradict each other; give one of them');
  if (!existsSync(run) || resume || fresh) return;
  throw new UsageError(
    'train',
    `${run} is a run already; --resume goes on with it, --fresh begins anew in its place`,
  );
}

/** The weights of a checkpoint of the same architecture. */
function startingFrom({ model: { init, format, config } }: TrainConfig): ReadonlyMap<string, Float64Array> {
  return loadModel(init!, { format, config }).parameters;
}

async function opened(description: Description, batches: number, sources: DataSource[]): Promise<DataSource> {
  const source = batches === 0 ? await openSource(description) : await prefetch(description, { batches });
  sources.push(source);
  return source;
}

async function backendOf({ backend, workers, deterministic }: TrainConfig): Promise<TrainingBackend> {
  if (backend === 'reference') return referenceTraining();
  const onCpu = (): TrainingBackend => cpu({ workers, deterministic });
  if (backend === 'cpu') return onCpu();
  const { gpuTraining } = await import('../../train/gpu/gpu-training.ts');
  return withFallback(gpuTraining({ mode: 'webgpu' }), onCpu(), (message) =>
    console.error(`statewave: ${message}`),
  );
}

/** Ends the run after its step at the first signal; a second one ends the process at once. */
function listen(abort: AbortController): (() => NodeJS.Signals | undefined) & { stop(): void } {
  let seen: NodeJS.Signals | undefined;
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const handler = (signal: NodeJS.Signals): void => {
    seen = signal;
    for (const one of signals) process.off(one, handler);
    abort.abort();
  };
  for (const signal of signals) process.on(signal, handler);
  return Object.assign(() => seen, {
    stop() {
      for (const one of signals) process.off(one, handler);
    },
  });
}

async function writeResults(
  config: TrainConfig,
  paths: Paths,
  result: FitResult,
  log: TrainingLog,
): Promise<void> {
  const { format, streamed } = config.model;
  saveModel(paths.weights, format, streamed.config, result.best.parameters, {
    model: streamed.made,
    metadata: {
      ...config.metadata,
      training: JSON.stringify({ epoch: result.best.epoch, seed: config.seed }),
    },
  });
  if (result.history.length === 0) return;
  try {
    const picture = await lossCurve(result.history, {
      title: config.title ?? config.out,
      loss: config.loss.kind,
      steps: log.steps(),
    });
    writeFileSync(paths.curve, picture);
  } catch (error) {
    // The weights are there; a picture that can't be drawn is no reason to fail.
    if (!(error instanceof BackendError)) throw error;
    console.error(`statewave: no ${paths.curve}: ${error.message}`);
  }
}

const summary = ({ best, history, steps, stopped, backend }: FitResult, paths: Paths) => ({
  stopped,
  steps,
  backend,
  best: { epoch: best.epoch, loss: Number.isNaN(best.loss) ? null : best.loss },
  last: history.at(-1) ?? null,
  ...paths,
});

function described(result: FitResult, paths: Paths): string {
  const { best, steps, stopped, history } = result;
  const why = {
    epochs: 'trained',
    patience: 'stopped, since the validation got no better,',
    aborted: 'interrupted',
  }[stopped];
  return [
    `${why} after ${steps} steps on ${result.backend}`,
    ...(history.length === 0 ? [] : [`best: epoch ${best.epoch}, loss ${best.loss.toPrecision(4)}`]),
    `weights: ${paths.weights}`,
    ...(existsSync(paths.curve) && history.length > 0 ? [`curve: ${paths.curve}`] : []),
    ...(stopped === 'aborted' ? [`to go on: --resume (${paths.run})`] : []),
  ].join('\n');
}
