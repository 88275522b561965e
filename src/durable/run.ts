import { AppendFile } from './append-file.ts';
import { loadCheckpoint, removeCheckpoint, saveCheckpoint } from './checkpoint.ts';
import { linesFrom } from './lines.ts';

/** What is done to each line. Everything that it remembers is in `snapshot`. */
export interface LineJob {
  /** Names the model, its weights and the settings; state of another identity is refused. */
  readonly identity: string;
  /** The text that follows from one more line, with its ends of line; may be empty. */
  take(line: string): string;
  /** The text that follows from there being no more. */
  end(): string;
  snapshot(): Uint8Array;
  restore(state: Uint8Array): void;
}

export interface DurableOptions {
  readonly input: string;
  readonly output: string;
  /** Where state and positions are saved; removed when the job is complete. */
  readonly checkpoint: string;
  /** Lines after which they are. */
  readonly every: number;
  readonly signal?: AbortSignal | undefined;
}

export interface DurableReport {
  /** Lines taken in this run. */
  readonly lines: number;
  /** The byte of the input at which this run went on; 0 for a fresh one. */
  readonly resumedAt: number;
  /** False where the signal ended it before the input did. */
  readonly complete: boolean;
}

/**
 * A text file, line by line, through a job that remembers, so that a crash costs nothing: state, position in the input
 * and position in the output are saved together, and a run after `kill -9` at any instant ends in the same bytes as
 * one that nobody interrupted. The output has its name once it is complete.
 *
 * @throws SnapshotError for a checkpoint that is damaged or another job's; StreamError where input or output are not
 *   those of the checkpoint.
 * @example
 * await runDurably(job, { input: 'pump.csv', output: 'score.csv', checkpoint: 'pump.state', every: 1000 });
 */
export async function runDurably(job: LineJob, options: DurableOptions): Promise<DurableReport> {
  const { input, output, checkpoint, every, signal } = options;
  const saved = loadCheckpoint(checkpoint, job.identity);
  if (saved?.done === true) {
    settle(output, checkpoint);
    return { lines: 0, resumedAt: saved.input, complete: true };
  }
  if (saved) job.restore(saved.state);
  const file = new AppendFile(output, saved?.output ?? 0);
  const resumedAt = saved?.input ?? 0;
  let read = resumedAt;
  let lines = 0;
  // The output first: a position that is saved is never beyond what the disk has.
  const save = (done: boolean): void => {
    file.sync();
    const { identity } = job;
    saveCheckpoint(checkpoint, { identity, input: read, output: file.position, done, state: job.snapshot() });
  };
  try {
    for await (const { text, end } of linesFrom(input, resumedAt)) {
      if (signal?.aborted === true) {
        save(false);
        return { lines, resumedAt, complete: false };
      }
      file.append(job.take(text));
      read = end;
      lines += 1;
      if (lines % every === 0) save(false);
    }
    file.append(job.end());
    save(true);
  } finally {
    file.close();
  }
  settle(output, checkpoint);
  return { lines, resumedAt, complete: true };
}

/** Behind the last checkpoint only names are left to be changed, and doing that twice does no harm. */
function settle(output: string, checkpoint: string): void {
  AppendFile.finish(output);
  removeCheckpoint(checkpoint);
}
