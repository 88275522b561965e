#!/usr/bin/env node
/**
 * The command `statewave`. One verb a file, each of which registers itself and loads what it needs only when it
 * runs, so that `--help` answers at once.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { conformanceVerb } from './conformance.ts';
import { denoiseVerb } from './denoise.ts';
import { importVerb } from './import.ts';
import { inspectVerb } from './inspect.ts';
import { micVerb } from './mic.ts';
import { processVerb } from './process.ts';
import { serveVerb } from './serve.ts';
import { trainVerb } from './train.ts';
import { exitStatusOf, quietPipes, report } from './support/failure.ts';

const verbs = [
  processVerb,
  denoiseVerb,
  importVerb,
  inspectVerb,
  trainVerb,
  micVerb,
  serveVerb,
  conformanceVerb,
];

const program = new Command('statewave')
  .description('State space models on live signals and recordings.')
  .version(version())
  .showHelpAfterError('Add --help to see how it is used.')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'statewave: ')) })
  // Thrown instead of exiting, since commander's own exit status for bad usage is 1.
  .exitOverride();
for (const register of verbs) register(program);

quietPipes();
try {
  await program.parseAsync();
} catch (error) {
  // Commander has said what was wrong already.
  if (!(error instanceof CommanderError)) report(error, { stack: process.argv.includes('--debug') });
  process.exitCode = exitStatusOf(error);
}

/** The package's, whether this runs as src/cli/main.ts or as dist/src/cli/main.js. */
function version(): string {
  for (const above of ['../../package.json', '../../../package.json']) {
    try {
      const { version } = JSON.parse(readFileSync(new URL(above, import.meta.url), 'utf8')) as {
        version: string;
      };
      return version;
    } catch {
      // Not at this depth.
    }
  }
  return 'unknown';
}
