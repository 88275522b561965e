import { InvalidArgumentError, type Command } from 'commander';
import type { ServeOptions } from './serve/run.ts';
import { withDebug } from './support/options.ts';

function port(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535) {
    throw new InvalidArgumentError('Give a whole number from 0 to 65535.');
  }
  return value;
}

/** `statewave serve`: the page with a live microphone. */
export function serveVerb(program: Command): void {
  withDebug(program.command('serve'))
    .summary('open the page that runs models on a microphone')
    .description(
      'Serves a web page, to this computer alone, that runs models on a microphone or a recording: a denoiser,\n' +
        'spoken digits, a resonant filter. Everything is computed in the browser; no sound leaves it.',
    )
    .option('--port <n>', 'where it listens; 0 for any that is free', port, 8080)
    .option('--open', 'open it in the browser')
    .addHelpText(
      'after',
      `
Examples:
  $ statewave serve --open
  $ statewave serve --port 0`,
    )
    .action(async (options: ServeOptions) => {
      const { serve } = await import('./serve/run.ts');
      await serve(options);
    });
}
