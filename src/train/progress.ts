import type { SingleBar } from 'cli-progress';
import type { EpochRecord, StepRecord } from './history.ts';

/** Tells a person how far a run is. */
export interface TrainingProgress {
  /** @param at steps done by an earlier part of the run. */
  start(run: {
    readonly steps: number;
    readonly epochs: number;
    readonly at: number;
    readonly backend: string;
  }): void;
  step(record: StepRecord): void;
  epoch(record: EpochRecord): void;
  /** Leaves the terminal as it was. Harmless twice. */
  stop(): void;
}

/** Share of the newest step in the loss that is shown: one batch says little. */
const NEWEST = 0.05;

/**
 * On a terminal a bar with loss, learning rate, speed and time left, and a line for every epoch above it; elsewhere the
 * lines alone. Writes to stderr unless told otherwise.
 *
 * @param rate the learning rate that a factor of 1 stands for, to be shown.
 */
export async function terminalProgress(
  rate = 1,
  stream: NodeJS.WriteStream = process.stderr,
): Promise<TrainingProgress> {
  let epochs = 0;
  const line = (record: EpochRecord): string => `${describeEpoch(record, epochs, rate)}\n`;
  if (!stream.isTTY) {
    return {
      start(run) {
        ({ epochs } = run);
        stream.write(opening(run));
      },
      step() {},
      epoch: (record) => void stream.write(line(record)),
      stop() {},
    };
  }
  const { default: cliProgress } = await import('cli-progress');
  let bar: SingleBar | undefined;
  let [smooth, at, began, first] = [NaN, 0, 0, 0];
  let total = 0;
  const texts = (record?: StepRecord): Record<string, string> => ({
    epoch: `${(record?.epoch ?? 0) + 1}/${epochs}`,
    loss: Number.isNaN(smooth) ? '–' : smooth.toPrecision(4),
    rate: record === undefined ? '–' : (record.rate * rate).toPrecision(2),
    speed: record === undefined ? '–' : ((at - first) / ((performance.now() - began) / 1000)).toPrecision(3),
  });
  const draw = (record?: StepRecord): void => {
    bar ??= new cliProgress.SingleBar({
      stream,
      format:
        '{epoch} {bar} {percentage}% | loss {loss} | rate {rate} | {speed} steps/s | {eta_formatted} left',
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 24,
      fps: 10,
      etaBuffer: 50,
      hideCursor: true,
      clearOnComplete: true,
      linewrap: null,
    });
    if (bar.isActive) bar.update(at, texts(record));
    else bar.start(total, at, texts(record));
  };
  return {
    start(run) {
      ({ epochs } = run);
      [at, first, total, began] = [run.at, run.at, run.steps, performance.now()];
      stream.write(opening(run));
      draw();
    },
    step(record) {
      at = record.step + 1;
      smooth = Number.isNaN(smooth) ? record.loss : smooth + NEWEST * (record.loss - smooth);
      draw(record);
    },
    epoch(record) {
      // In place of the bar, which is drawn again below.
      stream.write(`\r\x1b[K${line(record)}`);
    },
    stop() {
      bar?.stop();
      bar = undefined;
    },
  };
}

const opening = (run: { readonly steps: number; readonly at: number; readonly backend: string }): string =>
  `${run.at > 0 ? `resuming at step ${run.at} of` : 'training,'} ${run.steps} steps on ${run.backend}\n`;

/** `epoch 3/10  loss 0.01234  validation 0.02345  accuracy 0.981  rate 0.0012`. */
export function describeEpoch(record: EpochRecord, epochs: number, rate: number): string {
  const { epoch, loss, validation, metrics = {} } = record;
  const parts = [
    `epoch ${epoch + 1}/${epochs}`,
    `loss ${loss.toPrecision(4)}`,
    ...(validation === undefined ? [] : [`validation ${validation.toPrecision(4)}`]),
    ...Object.entries(metrics).map(([name, value]) => `${name} ${value.toPrecision(4)}`),
    `rate ${(record.rate * rate).toPrecision(2)}`,
  ];
  return parts.join('  ');
}
