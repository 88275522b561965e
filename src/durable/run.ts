import { AppendFile, finishPart, partOf } from './append-file.ts';
import { loadCheckpoint, removeCheckpoint, saveCheckpoint } from './checkpoint.ts';
import type { LineJob } from './job.ts';
import { linesFrom } from './lines.ts';

export interface DurableOptions {
  /** A file; or `-`, standard input, which has to bring the same again after a crash. */
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
  if (saved) await job.restore(saved.state);
  else await job.begin?.();
  const file = new AppendFile(partOf(output), saved?.output ?? 0);
  const resumedAt = saved?.input ?? 0;
  let read = resumedAt;
  let lines = 0;
  // The output first: a position that is saved is never beyond what the disk has.
  const save = async (done: boolean): Promise<void> => {
    file.sync();
    const { identity } = job;
    const state = await job.snapshot();
    saveCheckpoint(checkpoint, { identity, input: read, output: file.position, done, state });
  };
  try {
    for await (const { text, end } of linesFrom(input, resumedAt)) {
      if (signal?.aborted === true) {
        await save(false);
        return { lines, resumedAt, complete: false };
      }
      const taken = job.take(text);
      file.append(typeof taken === 'string' ? taken : await taken);
      read = end;
      lines += 1;
      if (lines % every === 0) await save(false);
    }
    file.append(await job.end());
    await save(true);
  } finally {
    file.close();
  }
  settle(output, checkpoint);
  return { lines, resumedAt, complete: true };
}

/** Behind the last checkpoint only names are left to be changed, and doing that twice does no harm. */
function settle(output: string, checkpoint: string): void {
  finishPart(output);
  removeCheckpoint(checkpoint);
}
