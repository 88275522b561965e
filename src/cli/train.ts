import type { Command } from 'commander';
import { oneOf, wholeUpTo, withDebug } from './support/options.ts';
import type { TrainOptions } from './train/run.ts';

/** `statewave train CONFIG`: a model from recordings or series, as a file describes it. */
export function trainVerb(program: Command): void {
  withDebug(program.command('train'))
    .summary('train a model on recordings or series')
    .description(
      'Trains the model that a configuration file describes, and writes a folder: weights.safetensors\n' +
        '(for process, denoise and loadModel), curve.svg, log.jsonl, and run.safetensors, from which\n' +
        '--resume goes on. Ctrl-C stops after the step that is running and saves all of it.',
    )
    .argument('<config>', 'a JSON file; docs/training.md says what is in it')
    .optionsGroup('In place of what the file says:')
    .option('--out <folder>', 'where to write')
    .option('--epochs <n>', 'how often to go through the data', wholeUpTo(1e9))
    .option('--seed <n>', 'of initial weights and dropout', wholeUpTo(2 ** 52))
    .addOption(oneOf('--backend <name>', 'where it runs', ['cpu', 'gpu', 'reference']))
    .option('--workers <n>', 'threads of the CPU backend (default: all cores)', wholeUpTo(1024))
    .optionsGroup('A folder that has a run:')
    .option('--resume', 'go on with it, to the bit')
    .option('--fresh', 'begin anew in its place')
    .optionsGroup('Output:')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Example:
  $ cat train.json
  { "model": { "format": "s4-model", "config": { "d_input": 1, "d_output": 10, "d_model": 64, "n_layers": 4 } },
    "data": { "kind": "mnist", "part": "train", "batch": 50, "seed": 1 },
    "loss": "cross-entropy", "epochs": 10, "out": "runs/mnist" }
  $ statewave train train.json`,
    )
    .action(async (config: string, options: TrainOptions) => {
      const { train } = await import('./train/run.ts');
      await train(config, options);
    });
}
