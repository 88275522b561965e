/** `npm run conformance -- [--models DIR] PATH…` */
import { CommanderError } from 'commander';
import { conformanceCommand } from './command.ts';

try {
  await conformanceCommand().exitOverride().parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Help and version end with 0; everything else that commander refuses is bad usage.
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
