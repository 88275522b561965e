import type { Command } from 'commander';
import type { ImportOptions } from './import/import.ts';
import { withModelOptions } from './process/options.ts';
import { oneOf, withDebug } from './support/options.ts';

/** `statewave import IN OUT`: published weights as a checkpoint that needs no flags. */
export function importVerb(program: Command): void {
  const verb = withDebug(program.command('import'))
    .summary('make published weights a checkpoint that says what it is')
    .description(
      'Reads a PyTorch checkpoint (.pt, .pth, .pkl; without Python, and without running anything\n' +
        'in it), a safetensors file, a capture of Neural Amp Modeler (.nam) or a model of RTNeural\n' +
        '(.json), holds every tensor to the architecture, and writes a safetensors file with format\n' +
        'and config in it, so that process, denoise and inspect need nothing else.',
    )
    .argument('<in>', 'the weights as they were published')
    .argument('<out>', 'the safetensors file to write (overwritten once complete)');
  withModelOptions(verb)
    .addOption(oneOf('--dtype <name>', 'of the weights', ['F16', 'F32', 'F64']).default('F32'))
    .option('--json', 'print what was done as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ statewave import weights.pt attenuate.safetensors --format attenuate
  $ statewave import Experiment_CleanU_Mamba.pkl denoiser.safetensors --format cleanumamba
  $ statewave import mamba.pth mamba.safetensors --format mamba-lm --config config.json --dtype F16
  $ statewave import amp.nam amp.safetensors`,
    )
    .action(async (input: string, output: string, options: ImportOptions) => {
      const { importModel } = await import('./import/import.ts');
      await importModel(input, output, options);
    });
}
