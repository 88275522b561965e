import { constants } from 'node:os';
import type { Interrupt } from '../support/interrupt.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How a live run is ended. */
export interface Stopper {
  /** The signal that has come. */
  readonly signal: Interrupt | undefined;
  dispose(): void;
}

/**
 * The first signal lets what was taken come to its end; a second one ends the process at once.
 *
 * @param stop takes no more input.
 * @param atOnce what has to be done before the process ends without waiting.
 * @param asked Ctrl-C is how this ends, and no failure; other signals, and interrupted jobs, have their exit status.
 */
export function onStop({
  stop,
  atOnce,
  asked,
}: {
  stop: () => void;
  atOnce: () => void;
  asked: boolean;
}): Stopper {
  let came: Interrupt | undefined;
  const handlers = SIGNALS.map((signal) => {
    const handler = (): void => {
      const status = 128 + constants.signals[signal];
      if (came !== undefined) {
        try {
          atOnce();
        } finally {
          process.exit(status);
        }
      }
      came = signal;
      if (signal !== 'SIGINT' || !asked) process.exitCode = status;
      stop();
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return {
    get signal() {
      return came;
    },
    dispose: () => handlers.forEach((off) => off()),
  };
}
