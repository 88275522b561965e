import type { Command } from 'commander';
import { withDebug } from './support/options.ts';

/** `statewave inspect FILE`: what a file is, told by its content. */
export function inspectVerb(program: Command): void {
  withDebug(program.command('inspect'))
    .summary('say what a file is')
    .description(
      'Says what a WAV file, a checkpoint (safetensors, PyTorch, .nam, RTNeural) or a snapshot of\n' +
        'a stream holds. What kind it is, its content tells, not its name. A file that is broken,\n' +
        'or none of these, is an error with exit status 1.',
    )
    .argument('<file>', 'the file, or - for stdin')
    .option('--json', 'print it as JSON')
    .action(async (file: string, { json = false }: { json?: boolean }) => {
      const { inspect } = await import('./inspect/inspect.ts');
      const { describe } = await import('./inspect/describe.ts');
      const found = await inspect(file);
      console.log(json ? JSON.stringify(found, null, 2) : describe(found));
    });
}
