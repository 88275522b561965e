import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import type { EpochRecord, StepRecord } from '../../train/index.ts';

/** A line of `log.jsonl`: a step, or an epoch. */
type Line = ({ readonly kind: 'step' } & StepRecord) | ({ readonly kind: 'epoch' } & EpochRecord);

/** What happened in a run, a JSON object a line, also over restarts. */
export interface TrainingLog {
  write(line: Line): void;
  /** The losses of all steps, for the picture. */
  steps(): StepRecord[];
  close(): void;
}

/**
 * Opens a log to go on with. What it has of steps that were lost with the process, and will be taken again, is cut off.
 *
 * @param from where the run goes on.
 */
export function openLog(path: string, from: { readonly step: number; readonly epoch: number }): TrainingLog {
  const kept = linesOf(path).filter((line) =>
    line.kind === 'step' ? line.step < from.step : line.epoch < from.epoch,
  );
  writeFileSync(`${path}.part`, kept.map((line) => `${JSON.stringify(line)}\n`).join(''));
  renameSync(`${path}.part`, path);
  const file = openSync(path, 'a');
  return {
    write: (line) => void writeSync(file, `${JSON.stringify(line)}\n`),
    steps: () => linesOf(path).flatMap((line) => (line.kind === 'step' ? [line] : [])),
    close: () => closeSync(file),
  };
}

function linesOf(path: string): Line[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((text) => {
      try {
        return [JSON.parse(text) as Line];
      } catch {
        // The last line of a process that was killed, or the end.
        return [];
      }
    });
}
