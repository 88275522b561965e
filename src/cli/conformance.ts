import type { Command } from 'commander';

/**
 * `statewave conformance`: the command of `npm run conformance`, which parses its own arguments, so that both are
 * one. Its help too is its own.
 */
export function conformanceVerb(program: Command): void {
  program
    .command('conformance')
    .summary('hold this implementation to the official ones')
    .usage('[options] <path...>')
    .helpOption(false)
    .allowUnknownOption()
    .argument('[arguments...]')
    .action(async (_parsed: string[], _options: unknown, self: Command) => {
      const { conformanceCommand } = await import('../conformance/command.ts');
      const command = conformanceCommand().name('statewave conformance').copyInheritedSettings(program);
      await command.parseAsync(self.args, { from: 'user' });
    });
}
