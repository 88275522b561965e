import { peak, rms } from '../../../audio/level.ts';
import { biquad } from '../../../filters/biquad.ts';
import type { Random } from '../../../init/random.ts';
import { throughRate } from '../augment.ts';
import { convolveTwo } from './convolve.ts';
import { colouredNoise } from './coloured-noise.ts';
import { drawEqualiser, filterInPhase, filterInPlace } from './equalise.ts';
import { activeLevel, addScaled, scale } from './level.ts';
import { pick } from './noises.ts';
import { prepareRoom, type Room } from './room.ts';
import { drawShoebox, shoeboxResponse } from './shoebox.ts';
import type { Voices } from './voices.ts';
import type { MixerSettings } from './settings.ts';

/** What a denoiser hears, and what it should make of it. */
export interface Mixture {
  readonly noisy: Float32Array;
  readonly clean: Float32Array;
}

export interface MixerParts {
  readonly sampleRate: number;
  readonly voices: Voices;
  /** Noise of so many frames, of any level above 0. */
  readonly noise: (frames: number, draws: Random) => Float32Array;
  /** Measured rooms; may be empty. */
  readonly rooms: readonly Room[];
}

/** The most that a sample may be: what a sound card would not have clipped. */
const FULL_SCALE = 0.99;

/**
 * Speech in a room, with noise, through a microphone; and the speech alone, as near as it should come out.
 *
 *     clean = gain · band(early * eq(floor(speech)))
 *     noisy = gain · band(response * eq(floor(speech)) + eq(noise) · 10^(−SNR/20) + rumble)
 *
 * with the SNR between the active levels of the reverberant speech and of the noise.
 *
 * @param draws everything random comes from it.
 * @example const { noisy, clean } = mix(parts, settings, 32_000, drawsAt(seed, epoch, number));
 */
export function mix(parts: MixerParts, settings: MixerSettings, frames: number, draws: Random): Mixture {
  const { sampleRate } = parts;
  const { shares } = settings;
  const speechOnly = shares.speechOnly;
  const what = pick(
    [shares.silence, shares.noiseOnly, speechOnly, 1 - shares.silence - shares.noiseOnly - speechOnly],
    draws,
  );
  if (what === 0) return silence(frames, draws);

  let clean: Float32Array = new Float32Array(frames);
  let noisy: Float32Array = new Float32Array(frames);
  if (what !== 1) {
    const speech = parts.voices.speak(frames, draws);
    if (settings.floor > 0) {
      // −3 dB is the Q of a section without a peak; there and back it is −6 dB at the floor.
      filterInPhase(speech, [biquad({ type: 'highpass', sampleRate, frequency: settings.floor, Q: -3 })]);
    }
    if (draws.uniform() < shares.equalised) {
      filterInPlace(speech, drawEqualiser(sampleRate, settings.equaliser, draws));
    }
    [noisy, clean] = inRoom(parts, settings, speech, draws);
    const level = activeLevel(noisy, sampleRate);
    if (level > 0) {
      scale(noisy, 1 / level);
      scale(clean, 1 / level);
    }
  }
  if (what !== 2) {
    const noise = parts.noise(frames, draws);
    // At times a second noise, fainter.
    if (draws.uniform() < shares.twoNoises)
      addLevelled(noise, parts.noise(frames, draws), -9, sampleRate, draws);
    if (draws.uniform() < shares.equalised) {
      filterInPlace(noise, drawEqualiser(sampleRate, settings.equaliser, draws));
    }
    const level = activeLevel(noise, sampleRate);
    const snr = draws.uniform(...settings.snr);
    if (level > 0) addScaled(noisy, noise, 10 ** (-snr / 20) / level);
    if (shares.rumble > 0 && draws.uniform() < shares.rumble) {
      const rumble = colouredNoise('rumble', frames, sampleRate, draws);
      addScaled(noisy, rumble, 10 ** (-draws.uniform(...settings.snr) / 20) / rms(rumble));
    }
  }
  if (draws.uniform() < shares.bandLimited) {
    const rate = settings.bands[draws.integer(settings.bands.length)]!;
    noisy = throughRate(noisy, 1, sampleRate, rate);
    clean = throughRate(clean, 1, sampleRate, rate);
  }
  return atLevel({ noisy, clean }, settings, draws);
}

/** Nothing but a faint floor, or not even that. */
function silence(frames: number, draws: Random): Mixture {
  const noisy = new Float32Array(frames);
  if (draws.uniform() < 0.75) {
    const level = 10 ** (draws.uniform(-95, -65) / 20);
    for (let i = 0; i < frames; i++) noisy[i] = level * draws.normal();
  }
  return { noisy, clean: new Float32Array(frames) };
}

/** What is heard and what is wanted of speech. */
function inRoom(
  { sampleRate, rooms }: MixerParts,
  { shares, early, target }: MixerSettings,
  speech: Float32Array,
  draws: Random,
): [heard: Float32Array, wanted: Float32Array] {
  const measured = rooms.length === 0 ? 0 : shares.measuredRooms;
  const which = pick(
    [measured, shares.simulatedRooms, Math.max(0, 1 - measured - shares.simulatedRooms)],
    draws,
  );
  if (which === 2) return [speech, speech.slice()];
  const room =
    which === 0
      ? rooms[draws.integer(rooms.length)]!
      : prepareRoom(shoeboxResponse(drawShoebox(draws), sampleRate, draws), sampleRate, early);
  const wanted = { early: room.early, dry: room.direct, reverberant: room.response }[target];
  return convolveTwo(speech, room.response, wanted);
}

function addLevelled(
  sum: Float32Array,
  other: Float32Array,
  most: number,
  sampleRate: number,
  draws: Random,
): void {
  const [a, b] = [activeLevel(sum, sampleRate), activeLevel(other, sampleRate)];
  const relative = draws.uniform(most - 9, most + 9);
  if (a > 0 && b > 0) addScaled(sum, other, (a / b) * 10 ** (relative / 20));
}

/** The level that a recording would have had, never clipped. */
function atLevel({ noisy, clean }: Mixture, { level, shares }: MixerSettings, draws: Random): Mixture {
  const loud = draws.uniform() < shares.fullScale;
  const wanted = draws.uniform(...level);
  const now = rms(noisy);
  if (now === 0) return { noisy, clean };
  const top = Math.max(peak(noisy), peak(clean));
  let gain = loud ? FULL_SCALE / top : 10 ** (wanted / 20) / now;
  if (gain * top > FULL_SCALE) gain = FULL_SCALE / top;
  return { noisy: scale(noisy, gain), clean: scale(clean, gain) };
}
