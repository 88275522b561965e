import { createWavWriter } from '../../audio/index.ts';
import { UsageError } from '../support/failure.ts';
import { onInterrupt, type Interrupt } from '../support/interrupt.ts';
import { startProgress } from '../support/progress.ts';
import { chooseBackend } from './backend.ts';
import type { Choice } from './choice.ts';
import { checkEndpoints, openInput, ownEncoding } from './input.ts';
import type { ModelOptions, RunOptions } from './options.ts';
import { pipeline } from './pipeline.ts';
import { planRun } from './plan.ts';
import { summarise, tell, type Tally } from './summary.ts';
import { writeBlocks } from './write-blocks.ts';

/**
 * A recording through a model (`statewave process`, `statewave denoise`): everything that can be refused is refused
 * before OUT is touched. OUT has its name once it is complete; an error leaves nothing behind, Ctrl-C a valid file of
 * what was done.
 *
 * @param verb the command, whose help an error of usage points to.
 * @param choose the model that the options ask for.
 */
export async function run<Options extends RunOptions & ModelOptions>(
  verb: string,
  input: string,
  output: string,
  options: Options,
  choose: (options: Options) => Promise<Choice>,
): Promise<void> {
  const { json = false } = options;
  checkEndpoints(verb, input, output, json);
  if (options.float === true && (options.encoding ?? 'float32') !== 'float32') {
    throw new UsageError(verb, `--float is --encoding float32, but --encoding is ${options.encoding}.`);
  }
  const choice = await choose(options);
  const backend = await chooseBackend(options);
  const reader = await openInput(verb, input, options);
  try {
    const { info } = reader;
    const own = ownEncoding(info);
    const asked = options.float === true ? 'float32' : options.encoding;
    const encoding = asked ?? own.encoding;
    const notes = asked === undefined && own.note !== undefined ? [own.note] : [];
    const plan = planRun(info, choice.model, options);
    const tally: Tally = { frames: 0, nonFinite: 0, silence: 0, latency: 0 };
    const blocks = pipeline(reader, choice, plan, options, backend, {
      progress(frames) {
        tally.frames = frames;
        progress.update(frames);
      },
      nonFinite: ({ count }) => void (tally.nonFinite += count),
      silence: (frames) => void (tally.silence = frames),
      latency: (frames) => void (tally.latency = frames),
    });
    const writer = createWavWriter(output === '-' ? process.stdout : output, {
      sampleRate: plan.outputRate,
      channels: plan.outputChannels,
      encoding,
      dither: options.dither ?? false,
    });
    const progress = await startProgress(info.frames, info.sampleRate);
    const started = performance.now();
    const finish = (interrupted?: Interrupt): void => {
      progress.stop();
      const elapsed = (performance.now() - started) / 1000;
      const { stats } = writer;
      const model = choice.model.name;
      tell(
        summarise({ input, output, model, info, plan, encoding, notes, stats, tally, elapsed, interrupted }),
        json,
      );
    };
    const stopListening = onInterrupt((signal) => {
      writer.finalizeNow();
      finish(signal);
    });
    try {
      await writeBlocks(blocks, writer);
      await writer.close();
    } catch (error) {
      progress.stop();
      await writer.abort();
      throw error;
    } finally {
      stopListening();
    }
    finish();
  } finally {
    await reader.close();
  }
}
