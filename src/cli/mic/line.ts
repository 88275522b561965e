import { dbfs } from '../../audio/index.ts';
import type { LiveStatus } from '../../live/node/index.ts';
import { clock } from '../support/progress.ts';

/** Redraws a second. */
const REDRAWS = 10;
/** Of a level meter: cells, and dB at its left end. */
const CELLS = 12;
const FLOOR = -60;

/** What the line shows, all of it already in the units that people read. */
export interface LineState {
  readonly seconds: number;
  readonly status: LiveStatus;
  readonly sampleRate: number;
  /** Share of real time that the model took lately. */
  readonly load: number;
}

/** One line: level in and out, load, queue, accidents. Cut to `width` columns. */
export function lineOf({ seconds, status, sampleRate, load }: LineState, width: number): string {
  const { peakIn, rmsIn, peakOut, rmsOut, queuedIn, queuedOut, dropped, missing } = status;
  const queue = ((queuedIn + queuedOut) / sampleRate) * 1000;
  const text =
    `${clock(seconds)}  in ${meter(rmsIn, peakIn)}  out ${meter(rmsOut, peakOut)}  ` +
    `load ${(100 * load).toFixed(0)} %  queue ${queue.toFixed(0)} ms  dropped ${dropped}  missing ${missing}`;
  return text.length > width ? text.slice(0, width) : text;
}

/** A bar as long as the mean, a mark at the peak, and the peak in dBFS. */
function meter(rms: number, peak: number): string {
  const place = (amplitude: number): number =>
    Math.max(0, Math.min(CELLS, Math.round(((dbfs(amplitude) - FLOOR) / -FLOOR) * CELLS)));
  const filled = place(rms);
  const mark = Math.max(1, place(peak));
  const cells = Array.from({ length: CELLS }, (_, i) => (i < filled ? '█' : i === mark - 1 ? '│' : '·')).join(
    '',
  );
  const level = peak === 0 ? '−∞' : dbfs(peak).toFixed(0).replace('-', '−');
  return `${cells} ${level.padStart(3)} dB`;
}

/** Keeps the line on stderr up to date; nothing at all where that is no terminal. Returns how to stop. */
export function showLine(sampleRate: number, status: () => LiveStatus): () => void {
  const { stderr } = process;
  if (!stderr.isTTY) return () => {};
  let before = { frames: 0, busy: 0 };
  let load = 0;
  let drawn = 0;
  const draw = (): void => {
    const now = status();
    const passed = now.frames - before.frames;
    // A second's worth, so that it can be read.
    if (passed >= sampleRate || load === 0) {
      load = passed === 0 ? 0 : (now.busy - before.busy) / ((passed / sampleRate) * 1000);
      if (passed >= sampleRate) before = { frames: now.frames, busy: now.busy };
    }
    const line = lineOf(
      { seconds: now.frames / sampleRate, status: now, sampleRate, load },
      (stderr.columns || 80) - 1,
    );
    stderr.write(`\r\x1b[K${line}`);
    drawn++;
  };
  const timer = setInterval(draw, 1000 / REDRAWS);
  return () => {
    clearInterval(timer);
    if (drawn > 0) stderr.write('\r\x1b[K');
  };
}
