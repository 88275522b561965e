import type { Command } from 'commander';
import type { DenoiseOptions } from './denoise/choose-denoiser.ts';
import { withFileOptions, withModelOptions, withRunOptions } from './process/options.ts';
import { withDebug } from './support/options.ts';

/** `statewave denoise IN OUT`: a recording of any rate and channels through a denoiser. */
export function denoiseVerb(program: Command): void {
  const verb = withDebug(program.command('denoise'))
    .summary('take the noise out of a recording')
    .description(
      "Runs a WAV file through a denoiser, resampled to the model's rate and back, each\n" +
        'channel with a state of its own. The output has the length of the input and is\n' +
        'aligned with it.',
    )
    .argument('<in>', 'a WAV file, or - for stdin')
    .argument('<out>', 'the WAV file to write (overwritten once complete), or - for stdout')
    .optionsGroup('What to run:')
    .option(
      '--model <file>',
      'a trained denoiser: safetensors, or a PyTorch checkpoint (default: the one that\ncomes with the package)',
    );
  withModelOptions(verb)
    .optionsGroup('How it runs:')
    .option('--no-resample', "run at the file's own rate, for models in continuous time");
  withFileOptions(withRunOptions(verb))
    .addHelpText(
      'after',
      `
Examples:
  $ statewave denoise noisy.wav clean.wav
  $ statewave denoise noisy.wav clean.wav --model attenuate.safetensors
  $ statewave denoise noisy.wav clean.wav --model weights.pt --format attenuate --float
  $ arecord -f S16_LE -r 16000 | statewave denoise - - --model attenuate.safetensors | aplay`,
    )
    .action(async (input: string, output: string, options: DenoiseOptions) => {
      const { run } = await import('./process/run.ts');
      const { chooseDenoiser } = await import('./denoise/choose-denoiser.ts');
      await run('denoise', input, output, options, chooseDenoiser);
    });
}
