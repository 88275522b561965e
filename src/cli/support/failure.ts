import { CommanderError } from 'commander';
import { StatewaveError } from '../../errors.ts';

/** A command line that cannot be meant as it stands: exit status 2. `verb` is where its help is. */
export class UsageError extends StatewaveError {
  override name = 'UsageError';
  readonly verb: string;

  constructor(verb: string, message: string) {
    super(message);
    this.verb = verb;
  }
}

/** 0: help or version was asked for; 1: it failed; 2: bad usage. */
export function exitStatusOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof UsageError ? 2 : 1;
}

/** One line on stderr, and the stack where it was asked for. Errors that are nobody's mistake but ours say so. */
export function report(error: unknown, { stack }: { stack: boolean }): void {
  const { message, name } = error instanceof Error ? error : new Error(String(error));
  const needed = missingPackage(error);
  const expected = error instanceof StatewaveError || isSystemError(error) || needed !== undefined;
  const said = needed === undefined ? message : `this needs the package "${needed}": npm install ${needed}`;
  const line = (expected ? said : `internal error: ${name}: ${message}`).replace(/\s*\n\s*/g, ' ');
  console.error(`statewave: ${line}`);
  if (error instanceof UsageError) console.error(`See statewave ${error.verb} --help.`);
  if (stack && error instanceof Error) console.error(error.stack, ...(error.cause ? [error.cause] : []));
  else if (!expected) console.error('Add --debug to see where.');
}

/** Peer dependencies are loaded by the verbs that use them, and may be absent. */
const missingPackage = (error: unknown): string | undefined =>
  (error as NodeJS.ErrnoException | null)?.code === 'ERR_MODULE_NOT_FOUND'
    ? /^Cannot find package '([^']+)'/.exec((error as Error).message)?.[1]
    : undefined;

/** A full disk, a missing permission: the system's message names the path. */
const isSystemError = (error: unknown): boolean =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';

/** A reader that has seen enough (`| head`) is no failure: the command ends without a word. */
export function quietPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      throw error;
    });
  }
}
