import type { RingMemory } from '../ring-buffer.ts';

/** The processor's name. */
export const TAP = 'statewave-tap';

/** Words of `TapOptions.state`. */
export const STOP = 0;
export const CAPTURE_ENDED = 1;
export const PLAYED = 2;
export const STATE_WORDS = 4;

/** A sample in silence, to measure how long it takes. Frames since the start. */
export interface Click {
  readonly at: number;
  readonly amplitude: number;
  /** When to say what was heard. */
  readonly until: number;
}

/** The loudest sample of the output: frames after the click, and how loud. */
export interface ClickHeard {
  readonly delay: number;
  readonly peak: number;
}

/** What the audio callback works on. */
export interface TapOptions {
  /** Where frames of the input go. */
  readonly capture?: RingMemory | undefined;
  /** Frames that take the place of the microphone's. */
  readonly source?: RingMemory | undefined;
  /** What is played. */
  readonly playback?: RingMemory | undefined;
  /** Int32 words: the main thread sets STOP, the callback the others. */
  readonly state: SharedArrayBuffer;
  /** Frames to capture; the ring is closed after that. */
  readonly limit?: number | undefined;
  /** Instead of any input. */
  readonly click?: Click | undefined;
}
