import type { SingleBar } from 'cli-progress';

/** Tells a person how far a job on a recording is. */
export interface Progress {
  /** `frames` are done, all in all. */
  update(frames: number): void;
  /** Leaves the terminal as it was. Harmless twice. */
  stop(): void;
}

const silent: Progress = { update() {}, stop() {} };

/** Redraws a second; the clock is looked at no more often than blocks come. */
const REDRAWS = 10;

/**
 * A bar on stderr with the share done, the speed as a multiple of real time and the time left; where nobody knows
 * how long the input is, the seconds done. Nothing at all where stderr is no terminal.
 *
 * @param total frames, undefined of a pipe.
 */
export async function startProgress(total: number | undefined, sampleRate: number): Promise<Progress> {
  if (!process.stderr.isTTY) return silent;
  const { default: cliProgress } = await import('cli-progress');
  const bar: SingleBar = new cliProgress.SingleBar({
    stream: process.stderr,
    format:
      total === undefined
        ? '{done} of sound | {speed}× real time'
        : '{bar} {percentage}% | {speed}× real time | {left} left',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    fps: REDRAWS,
    hideCursor: true,
    clearOnComplete: true,
  });
  const started = performance.now();
  const texts = (frames: number): Record<string, string> => {
    const elapsed = (performance.now() - started) / 1000;
    const speed = elapsed === 0 ? 0 : frames / sampleRate / elapsed;
    const left = total === undefined || speed === 0 ? undefined : (total - frames) / sampleRate / speed;
    return {
      done: clock(frames / sampleRate),
      speed: speed.toPrecision(speed < 100 ? 2 : 3),
      left: left === undefined ? '–' : clock(left),
    };
  };
  bar.start(total ?? 0, 0, texts(0));
  let drawn = started;
  return {
    update(frames) {
      const now = performance.now();
      if (now - drawn < 1000 / REDRAWS) return;
      drawn = now;
      bar.update(frames, texts(frames));
    },
    stop: () => bar.stop(),
  };
}

/** Seconds as 7.5 s, 1:02 or 1:00:02. */
export function clock(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const pad = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  return hours === 0 ? `${minutes}:${pad(whole % 60)}` : `${hours}:${pad(minutes)}:${pad(whole % 60)}`;
}
