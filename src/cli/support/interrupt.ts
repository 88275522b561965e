import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export type Interrupt = (typeof SIGNALS)[number];

/**
 * Runs `finish`, which has to do its work at once, when the user or the system ends the command, and then exits
 * with 128 + the signal's number, as shells expect: 130 for Ctrl-C, 143 for SIGTERM. Returns how to stop listening.
 */
export function onInterrupt(finish: (signal: Interrupt) => void): () => void {
  const handlers = SIGNALS.map((signal) => {
    const handler = (): void => {
      try {
        finish(signal);
      } finally {
        process.exit(128 + constants.signals[signal]);
      }
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => handlers.forEach((stop) => stop());
}
