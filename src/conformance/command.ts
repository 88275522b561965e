import { Argument, Command, Option } from 'commander';
import { StatewaveError } from '../errors.ts';
import type { Precision } from '../signal/index.ts';
import { backendByName, backendNames } from './backend.ts';
import { formatLine, formatTotals, type Line } from './report.ts';
import { runConformance } from './runner.ts';

interface Flags {
  readonly models: string;
  readonly backend: string;
  readonly precision?: Precision;
  readonly json?: boolean;
}

/**
 * The verb `conformance [--models DIR] PATH…`. Lines go to stdout, the reasons of failures to stderr. Exit status
 * 1 when something fails, 2 when there is nothing to run; what is unsupported is no failure.
 */
export const conformanceCommand = (): Command =>
  new Command('conformance')
    .description('hold this implementation to the official ones, by golden files')
    .addArgument(new Argument('<path...>', 'golden .safetensors files, or folders of them'))
    .option('--models <dir>', 'weights of the published networks', '../shared/models')
    .addOption(new Option('--backend <name>', 'where streams run').choices(backendNames).default('reference'))
    .addOption(
      new Option('--precision <name>', 'instead of what the official code ran in').choices([
        'auto',
        'float32',
        'float64',
      ]),
    )
    .option('--json', 'one JSON object instead of lines')
    .action(async (paths: string[], flags: Flags) => {
      process.exitCode = await conformance(paths, flags);
    });

/** Runs, prints, and gives the exit status. */
async function conformance(paths: readonly string[], flags: Flags): Promise<number> {
  const { models, precision, json = false } = flags;
  const print = (line: Line, caseWidth: number): void => {
    process.stdout.write(`${formatLine(line, caseWidth)}\n`);
    if (line.reason !== undefined) process.stderr.write(`  ${line.case} ${line.way}: ${line.reason}\n`);
  };
  try {
    const report = await runConformance({
      paths,
      models,
      precision,
      backend: await backendByName(flags.backend),
      onLine: json ? undefined : print,
    });
    process.stdout.write(`${json ? JSON.stringify(report) : formatTotals(report)}\n`);
    return report.failed > 0 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof StatewaveError)) throw error;
    process.stderr.write(`${error.name}: ${error.message}\n`);
    return 2;
  }
}
