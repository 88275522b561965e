import type { Command } from 'commander';
import { withFilterOptions, type ProcessOptions } from './process/filter-options.ts';
import { withFileOptions, withModelOptions, withRunOptions } from './process/options.ts';
import { withDebug } from './support/options.ts';

/** `statewave process IN OUT`: a recording through a model or a filter. */
export function processVerb(program: Command): void {
  const verb = withDebug(program.command('process'))
    .summary('run a recording through a model or a filter')
    .description(
      'Runs a WAV file through a state space model or a filter, block by block in constant memory.\n' +
        'The output has the length of the input and is aligned with it.',
    )
    .argument('<in>', 'a WAV file, or - for stdin')
    .argument('<out>', 'the WAV file to write (overwritten once complete), or - for stdout')
    .optionsGroup('What to run:')
    .option('--model <file>', 'a trained model: safetensors, a PyTorch checkpoint, or a .nam capture');
  withModelOptions(verb);
  withFilterOptions(verb)
    .optionsGroup('How it runs:')
    .option('--resample', "to the model's sample rate and back, where the file has another");
  withFileOptions(withRunOptions(verb))
    .addHelpText(
      'after',
      `
Examples:
  $ statewave process in.wav out.wav --model model.safetensors
  $ statewave process in.wav out.wav --filter bandpass --cutoff 300,3400
  $ statewave process in.wav out.wav --biquad notch --frequency 50,150,250 --q 30
  $ arecord -f S16_LE -r 16000 | statewave process - - --filter highpass --cutoff 80 | aplay`,
    )
    .action(async (input: string, output: string, options: ProcessOptions) => {
      const { run } = await import('./process/run.ts');
      const { chooseModel } = await import('./process/choose-model.ts');
      await run('process', input, output, options, chooseModel);
    });
}
