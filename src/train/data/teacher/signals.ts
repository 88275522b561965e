import type { Random } from '../../../init/random.ts';
import { pick } from '../mixer/noises.ts';
import { colouredNoise } from '../mixer/coloured-noise.ts';
import { pluck } from './karplus-strong.ts';

type Passage = (out: Float32Array, sampleRate: number, draws: Random) => void;

/** Equal temperament: semitones above the low E string of a guitar, 82.4 Hz. */
const pitchOf = (semitones: number): number => 82.407 * 2 ** (semitones / 12);
const SCALE = [0, 2, 3, 5, 7, 8, 10] as const;
const CHORDS = [
  [0, 7, 12],
  [0, 4, 7, 12, 16],
  [0, 3, 7, 12, 15],
  [0, 5, 7, 12],
  [0, 4, 7, 10, 16],
] as const;

/** Single notes, 1 to 10 a second, some damped by the hand. */
const riff: Passage = (out, sampleRate, draws) => {
  const step = sampleRate / draws.uniform(1, 10);
  const muted = draws.uniform() < 0.3;
  for (let at = 0; at < out.length; at += step * (1 + draws.integer(2))) {
    const octave = 12 * draws.integer(3);
    pluck(
      out,
      {
        pitch: pitchOf(SCALE[draws.integer(SCALE.length)]! + octave),
        at: Math.round(at),
        decay: draws.uniform(1, 6),
        place: draws.uniform(0.05, 0.4),
        brightness: draws.uniform(0.2, 1),
        amplitude: draws.uniform(0.3, 1),
        ...(muted || draws.uniform() < 0.5 ? { held: Math.round(step * draws.uniform(0.2, 1)) } : {}),
      },
      sampleRate,
      draws,
    );
  }
};

/** Chords, strummed up or down, a few a second. */
const chords: Passage = (out, sampleRate, draws) => {
  const step = sampleRate / draws.uniform(0.5, 3);
  for (let at = 0; at < out.length; at += step) {
    const root = draws.integer(12);
    const strum = draws.uniform(0.002, 0.03) * sampleRate;
    const notes = [...CHORDS[draws.integer(CHORDS.length)]!];
    if (draws.uniform() < 0.4) notes.reverse();
    const amplitude = draws.uniform(0.2, 0.6);
    for (const [i, note] of notes.entries()) {
      pluck(
        out,
        {
          pitch: pitchOf(root + note),
          at: Math.round(at + i * strum),
          decay: draws.uniform(2, 6),
          place: draws.uniform(0.05, 0.4),
          brightness: draws.uniform(0.3, 1),
          amplitude: amplitude * draws.uniform(0.7, 1),
          held: Math.round(step * draws.uniform(0.5, 1.2)),
        },
        sampleRate,
        draws,
      );
    }
  }
};

/** A sine whose frequency rises or falls exponentially (Farina, 108th AES Convention, 2000), at any level. */
const sweep: Passage = (out, sampleRate, draws) => {
  const [low, high] = [20, 0.45 * sampleRate];
  const rising = draws.uniform() < 0.5;
  let phase = 0;
  for (let k = 0; k < out.length; k++) {
    const share = rising ? k / out.length : 1 - k / out.length;
    phase += (2 * Math.PI * low * (high / low) ** share) / sampleRate;
    if (phase > Math.PI) phase -= 2 * Math.PI;
    out[k] = Math.sin(phase);
  }
};

/** White, pink or brown noise in bursts with pauses. */
const bursts: Passage = (out, sampleRate, draws) => {
  const colour = (['white', 'pink', 'brown'] as const)[draws.integer(3)]!;
  const noise = colouredNoise(colour, out.length, sampleRate, draws);
  for (let at = 0; at < out.length;) {
    const on = Math.round(draws.uniform(0.005, 0.4) * sampleRate);
    const gain = 10 ** (draws.uniform(-30, 0) / 20);
    for (let k = at; k < Math.min(out.length, at + on); k++) out[k] = gain * noise[k]!;
    at += on + Math.round(draws.uniform(0.01, 0.4) * sampleRate);
  }
};

/** Noise with the spectrum and the swell of speech and music. */
const programme: Passage = (out, sampleRate, draws) => {
  out.set(colouredNoise('modulated', out.length, sampleRate, draws));
};

/** Up to four sines that begin and end. */
const tones: Passage = (out, sampleRate, draws) => {
  for (let i = draws.integer(4); i >= 0; i--) {
    const step = (2 * Math.PI * 40 * 150 ** draws.uniform()) / sampleRate;
    const from = draws.integer(out.length);
    const to = from + draws.integer(out.length - from + 1);
    const phase = draws.uniform(0, 2 * Math.PI);
    for (let k = from; k < to; k++) out[k] = out[k]! + Math.sin(phase + step * (k - from));
  }
};

const PASSAGES: readonly (readonly [weight: number, passage: Passage | undefined])[] = [
  [5, riff],
  [4, chords],
  [1, sweep],
  [1, bursts],
  [1.5, programme],
  [1, tones],
  [0.5, undefined],
];

/**
 * What comes out of a guitar, and what else tells an amplifier from another: passages of 0.5 to 3 s of plucked notes,
 * strummed chords, sweeps, bursts, tones, noise with the swell of music, and silence, each with its own peak between
 * −40 and −0.5 dBFS.
 *
 * @returns frames of one channel, within ±1.
 * @example guitarSignal(480_000, 48_000, drawsAt(1, 0))
 */
export function guitarSignal(frames: number, sampleRate: number, draws: Random): Float32Array {
  const out = new Float32Array(frames);
  for (let at = 0; at < frames;) {
    const length = Math.min(frames - at, Math.round(draws.uniform(0.5, 3) * sampleRate));
    const passage =
      PASSAGES[
        pick(
          PASSAGES.map(([weight]) => weight),
          draws,
        )
      ]![1];
    const part = new Float32Array(length);
    passage?.(part, sampleRate, draws);
    let top = 0;
    for (let k = 0; k < length; k++) top = Math.max(top, Math.abs(part[k]!));
    // Loud more often than faint: that is where an amplifier bends.
    const level = 10 ** ((-0.5 - 39.5 * draws.uniform() ** 2) / 20);
    const edge = Math.min(length / 2, 0.003 * sampleRate);
    for (let k = 0; k < length; k++) {
      const fade = Math.min(1, (k + 1) / edge, (length - k) / edge);
      out[at + k] = top === 0 ? 0 : (part[k]! / top) * level * fade;
    }
    at += length;
  }
  return out;
}
