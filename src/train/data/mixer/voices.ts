import { ArgumentError } from '../../../errors.ts';
import type { Random } from '../../../init/random.ts';
import { atSpeed } from '../augment.ts';
import { byCodeUnits, nameOf } from '../files.ts';
import type { Recordings } from '../recordings/recordings.ts';
import { activeLevel } from './level.ts';

/** Speech by speaker, each as likely as the others however much there is of one. */
export interface Voices {
  readonly speakers: readonly string[];
  /**
   * Speech of a speaker who is drawn, of its own level.
   *
   * @param plain at the speed of the recording: changing it costs more than all else.
   */
  speak(frames: number, draws: Random, plain?: boolean): Float32Array;
}

export interface VoicesOptions {
  /** Finds the speaker in a file's name, by its first group that matches. */
  readonly speaker: RegExp;
  /** Speeds, pitch included: see `Augmentation`. */
  readonly speeds: readonly number[];
}

/** Speech this far below full scale is a pause: another place is looked for. */
const FAINT = 10 ** (-65 / 20);
const TRIES = 4;

/**
 * @throws ArgumentError for a file whose name has no speaker.
 * @example const voices = voicesOf(recordings, { speaker: /^([^-]+)-/, speeds: [0.9, 1, 1.1] });
 */
export function voicesOf(recordings: Recordings, { speaker: expression, speeds }: VoicesOptions): Voices {
  if (recordings.channels !== 1) {
    throw new ArgumentError(`speech has ${recordings.channels} channels; open it with channels: 1`);
  }
  const bySpeaker = new Map<string, number[]>();
  for (const [i, { path }] of recordings.list.entries()) {
    const name = nameOf(path, expression, 'speaker');
    bySpeaker.set(name, [...(bySpeaker.get(name) ?? []), i]);
  }
  const speakers = [...bySpeaker.keys()].sort(byCodeUnits);
  const files = speakers.map((name) => bySpeaker.get(name)!);
  const pause = (draws: Random): number => Math.round(draws.uniform(0.1, 0.6) * recordings.sampleRate);

  /** Utterance after utterance, a pause between them. */
  const read = (frames: number, draws: Random, speaker: number): Float32Array => {
    const own = files[speaker]!;
    const out = new Float32Array(frames);
    // One in six begins with silence, as a call does.
    let at = draws.uniform() < 1 / 6 ? Math.min(Math.floor(frames / 2), pause(draws)) : 0;
    while (at < frames) {
      const file = own[draws.integer(own.length)]!;
      const there = recordings.list[file]!.frames;
      const start = draws.integer(Math.max(1, there - (frames - at) + 1));
      const count = Math.min(frames - at, there - start);
      out.set(recordings.read(file, start, count), at);
      at += count + pause(draws);
    }
    return out;
  };
  return {
    speakers,
    speak(frames, draws, plain = false) {
      const speaker = draws.integer(speakers.length);
      const speed = plain ? 1 : speeds[draws.integer(speeds.length)]!;
      const wanted = Math.ceil(frames * Math.round(speed * 100) * 0.01);
      let speech = read(wanted, draws, speaker);
      for (let i = 1; i < TRIES && activeLevel(speech, recordings.sampleRate) < FAINT; i++) {
        speech = read(wanted, draws, speaker);
      }
      return exactly(frames, atSpeed(speech, 1, speed));
    },
  };
}

/** Resampling may leave a frame more or less. */
export function exactly(frames: number, x: Float32Array): Float32Array {
  if (x.length === frames) return x;
  const out = new Float32Array(frames);
  out.set(x.subarray(0, frames));
  return out;
}
