import type { Command } from 'commander';
import { withFilterOptions } from './process/filter-options.ts';
import { withModelOptions } from './process/options.ts';
import type { MicOptions } from './mic/options.ts';
import { oneOf, positive, wholeUpTo, withDebug } from './support/options.ts';

const QUALITIES = ['fast', 'good', 'best'];
const ENCODINGS = ['pcm16', 'pcm24', 'pcm32', 'float32'];

const many = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** `statewave mic`: a microphone through a model, live. */
export function micVerb(program: Command): void {
  const verb = withDebug(program.command('mic'))
    .summary('run a microphone through a model, live')
    .description(
      'Takes sound from a microphone (or a file in its place), runs it through a state space model or a filter as\n' +
        'it comes, and plays it, records it, or both. Ctrl-C ends it.',
    )
    .optionsGroup('What to run:')
    .option('--model <file>', 'a trained model: safetensors, a PyTorch checkpoint, or a .nam capture');
  withModelOptions(verb);
  withFilterOptions(verb)
    .optionsGroup('Input and output:')
    .option('--device <name>', 'the microphone: a part of its name, or its id (default: the default one)')
    .option('--speaker <name>', 'the loudspeaker, likewise')
    .option('--list-devices', 'say which there are, and do nothing else')
    .option('--input <file>', 'a WAV file in place of the microphone, at its pace')
    .option(
      '--output <where>',
      'speaker (the default), none, or a WAV file to write; may be given twice',
      many,
    )
    .addOption(oneOf('--encoding <name>', 'of the file', ENCODINGS).default('pcm16'))
    .option('--channels <n>', 'of the microphone', wholeUpTo(32), 1)
    .option('--mono', "mix the file's channels down; otherwise each has a state of its own")
    .option(
      '--rate <hz>',
      "of the audio device (default: the loudspeaker's, or the file's)",
      wholeUpTo(768_000),
    )
    .option('--seconds <n>', 'stop after that', positive)
    .optionsGroup('How it runs:')
    .option('--buffer <ms>', 'of output that waits to be played: less is sooner, more is safer', positive, 40)
    .addOption(oneOf('--quality <name>', 'of the resamplers around the model', QUALITIES).default('fast'))
    .option('--no-resample', "run at the device's own rate, for models in continuous time")
    .addOption(
      oneOf('--precision <name>', 'of signals and state', ['auto', 'float32', 'float64']).default('auto'),
    )
    .option('--fast', 'a file as fast as it goes, without any audio device')
    .option('--measure-latency', 'first send a click through everything and say how long it took')
    .option('--json', 'print what was done as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ statewave mic --model attenuate.safetensors
  $ statewave mic --filter highpass --cutoff 120 --output speaker --output take.wav
  $ statewave mic --model attenuate.safetensors --input noisy.wav --output clean.wav
  $ statewave mic --biquad notch --frequency 50 --q 30 --output none --measure-latency --seconds 10 --json`,
    )
    .action(async (options: MicOptions) => {
      const { mic } = await import('./mic/run.ts');
      await mic(options);
    });
}
