import { startLive, type LiveOptions } from '../../live/node/index.ts';

/** A click through everything but the device. Frames at the context's rate. */
export interface Measured {
  readonly declared: number;
  /** To the loudest sample of what came back, which is later by the model's own group delay; null where none did. */
  readonly delay: number | null;
  readonly milliseconds: number | null;
  /** Full scale 1. */
  readonly peak: number;
}

/** How loud the click is, and what is taken for silence. */
const AMPLITUDE = 0.5;
const SILENCE = 1e-5;
/** Seconds of silence before the click, for what has a running level, and to listen after it. */
const BEFORE = 0.5;
const AFTER = 0.3;

/**
 * Sends one sample through the audio callback, the rings, the resamplers and the model, and looks when it comes back
 * to the callback.
 */
export async function measureLatency(options: LiveOptions): Promise<Measured> {
  const { sampleRate } = options;
  const at = Math.round(BEFORE * sampleRate);
  const session = await startLive({
    ...options,
    record: false,
    limit: undefined,
    click: (declared) => ({
      at,
      amplitude: AMPLITUDE,
      until: at + declared + Math.round(AFTER * sampleRate),
    }),
  });
  try {
    // A session that fails says so; one that ends does not tell of the click.
    const { delay, peak } = await Promise.race([
      session.heard,
      session.done.then(() => new Promise<never>(() => {})),
    ]);
    const { latency: declared } = session;
    if (peak < SILENCE) return { declared, delay: null, milliseconds: null, peak };
    return { declared, delay, milliseconds: (delay / sampleRate) * 1000, peak };
  } finally {
    await session.close();
  }
}
