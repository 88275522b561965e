import type { Command } from 'commander';
import { ENCODINGS, RAW_FORMATS, type ProcessOptions } from './process/options.ts';
import { finite, numbers, oneOf, positive, wholeUpTo, withDebug, words } from './support/options.ts';

const FILTERS = ['lowpass', 'highpass', 'bandpass', 'bandstop'];
const FAMILIES = ['butterworth', 'chebyshev1', 'chebyshev2', 'elliptic', 'bessel'];
const BIQUADS = [
  'lowpass',
  'highpass',
  'bandpass',
  'notch',
  'allpass',
  'peaking',
  'lowshelf',
  'highshelf',
] as const;

/** `statewave process IN OUT`: a recording through a model or a filter. */
export function processVerb(program: Command): void {
  withDebug(program.command('process'))
    .summary('run a recording through a model or a filter')
    .description(
      'Runs a WAV file through a state space model or a filter, block by block in constant memory.\n' +
        'The output has the length of the input and is aligned with it.',
    )
    .argument('<in>', 'a WAV file, or - for stdin')
    .argument('<out>', 'the WAV file to write (overwritten once complete), or - for stdout')
    .optionsGroup('What to run:')
    .option('--model <file>', 'a trained model: safetensors, or a .nam capture')
    .option('--format <name>', "the model's architecture, where the file does not say")
    .option('--config <json|file>', "the model's configuration, where the file does not say")
    .addOption(oneOf('--filter <type>', 'a classical filter', FILTERS))
    .option('--cutoff <hz>', 'its edge, or two for a band: 300,3400', numbers)
    .addOption(oneOf('--family <name>', 'its family (default: butterworth)', FAMILIES))
    .option('--order <n>', 'its order (default: 4); bands have twice as many poles', wholeUpTo(64))
    .option('--ripple <dB>', 'of the pass band: chebyshev1, elliptic', positive)
    .option('--attenuation <dB>', 'of the stop band: chebyshev2, elliptic', positive)
    .option(
      '--biquad <type>',
      `one of ${BIQUADS.join(', ')}; several by a list or by repeating, and behind --filter if both are given`,
      words(BIQUADS),
    )
    .option('--frequency <hz>', 'of each biquad, or of all', numbers)
    .option('--q <q>', 'of each biquad, or of all (default: 1; dB for lowpass and highpass)', numbers)
    .option('--boost <dB>', 'of each peaking or shelving biquad, or of all', numbers)
    .optionsGroup('How it runs:')
    .option('--mono', 'mix all channels down first; otherwise each has a state of its own')
    .option('--resample', "to the model's sample rate and back, where the file has another")
    .option('--block <frames>', 'frames a time', wholeUpTo(1 << 20), 2048)
    .addOption(
      oneOf('--precision <name>', 'of signals and state', ['auto', 'float32', 'float64']).default('auto'),
    )
    .addOption(oneOf('--backend <name>', 'where it computes (default: the fastest)', ['reference', 'wasm']))
    .addOption(
      oneOf('--nonfinite <policy>', 'what to do about NaN and infinities', [
        'throw',
        'hold',
        'zero',
        'reset',
      ]).default('throw'),
    )
    .optionsGroup('Input and output:')
    .addOption(oneOf('--encoding <name>', "of the output (default: the input's)", ENCODINGS))
    .option('--float', 'short for --encoding float32')
    .option('--dither', 'triangular noise of one step before rounding to PCM')
    .option('--gain <dB>', 'on the output', finite)
    .addOption(oneOf('--raw <format>', 'the input is bare samples, with --rate and --channels', RAW_FORMATS))
    .option('--rate <hz>', 'of raw input', wholeUpTo(0xffff_ffff))
    .option('--channels <n>', 'of raw input (default: 1)', wholeUpTo(65_535))
    .option('--json', 'print what was done as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ statewave process in.wav out.wav --model denoiser.safetensors
  $ statewave process in.wav out.wav --filter bandpass --cutoff 300,3400
  $ statewave process in.wav out.wav --biquad notch --frequency 50,150,250 --q 30
  $ arecord -f S16_LE -r 16000 | statewave process - - --filter highpass --cutoff 80 | aplay`,
    )
    .action(async (input: string, output: string, options: ProcessOptions) => {
      const { run } = await import('./process/run.ts');
      await run(input, output, options);
    });
}
