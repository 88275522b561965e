import { setImmediate } from 'node:timers/promises';
import { map, type Observable } from 'rxjs';
import { fromAsyncIterable, mono, resample, ssm } from '../../../operators/index.ts';
import { fromDbfs, type WavReader } from '../../audio/index.ts';
import type { StreamBackend } from '../../backends/backend.ts';
import { GraphError } from '../../errors.ts';
import type { FloatArray, Model } from '../../signal/index.ts';
import type { Diagnostic } from '../../stream/index.ts';
import { collectOften } from '../support/collect-often.ts';
import type { Choice } from './choice.ts';
import { fit } from './fit.ts';
import type { RunOptions } from './options.ts';
import type { Plan } from './plan.ts';

/** What is to be told while a file is on its way. */
export interface Listener {
  /** Input frames read so far. */
  progress(frames: number): void;
  nonFinite(diagnostic: Diagnostic): void;
  /** Frames at the end that the model had nothing for. */
  silence(frames: number): void;
  /** Frames of look-ahead, where the model runs. */
  latency(frames: number): void;
}

/** Longer than this nothing else gets a turn: neither Ctrl-C nor the progress bar. */
const BREATH_MS = 30;

/**
 * reader → mix down → to the model's rate → model → back → gain → length. Cold, in constant memory: a block is
 * read when the one before has been written.
 *
 * @throws GraphError, ParameterError, ArgumentError at once, where the model cannot run at this rate.
 */
export function pipeline(
  reader: WavReader,
  { model, parameters }: Choice,
  plan: Plan,
  options: RunOptions,
  backend: StreamBackend,
  listener: Listener,
): Observable<FloatArray> {
  const { fileRate, modelRate, modelOutputRate, outputRate, channels, outputChannels } = plan;
  const run = explained(model, plan, () =>
    ssm(model, parameters, {
      sampleRate: modelRate,
      channels,
      precision: options.precision,
      nonFinite: options.nonfinite,
      backend,
      diagnostics: { next: (diagnostic) => listener.nonFinite(diagnostic) },
      onStream: ({ latency }) => listener.latency(latency),
    }),
  );
  let frames = 0;
  const counted = (count: number): void => {
    frames += count;
    listener.progress(frames);
  };
  let blocks: Observable<FloatArray> = fromAsyncIterable(read(reader, options, counted));
  if (channels !== reader.info.channels) blocks = blocks.pipe(mono(reader.info.channels));
  if (modelRate !== fileRate)
    blocks = blocks.pipe(resample(modelRate, { from: fileRate, channels, quality: 'best' }));
  blocks = blocks.pipe(run);
  if (modelRate !== fileRate)
    blocks = blocks.pipe(
      resample(outputRate, { from: modelOutputRate, channels: outputChannels, quality: 'best' }),
    );
  if (options.gain !== undefined) blocks = blocks.pipe(map(amplify(fromDbfs(options.gain))));
  return blocks.pipe(fit(outputChannels, () => plan.outputFrames(frames), listener.silence));
}

/** The blocks of the file; now and then everybody else gets a turn. */
async function* read(
  reader: WavReader,
  { block, precision }: RunOptions,
  counted: (frames: number) => void,
): AsyncGenerator<FloatArray, void, void> {
  const { channels } = reader.info;
  const blocks: AsyncIterable<FloatArray> =
    precision === 'float64' ? reader.blocks(block, { format: 'float64' }) : reader.blocks(block);
  const passed = collectOften();
  let rested = performance.now();
  for await (const samples of blocks) {
    counted(samples.length / channels);
    yield samples;
    passed(samples.byteLength);
    if (performance.now() - rested < BREATH_MS) continue;
    await setImmediate();
    rested = performance.now();
  }
}

/** In place: the model's blocks are fresh, and nobody else has them. */
const amplify = (factor: number) => (block: FloatArray) => {
  for (let i = 0; i < block.length; i++) block[i] = block[i]! * factor;
  return block;
};

/** A model that cannot follow the file's rate says so; here there is a cure. */
function explained<T>(model: Model, { modelRate }: Plan, build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (error instanceof GraphError && model.sampleRate !== undefined && model.sampleRate !== modelRate) {
      throw new GraphError(`${error.message}: --resample does that, and brings the result back`, {
        cause: error,
      });
    }
    throw error;
  }
}
