import { ArgumentError } from '../../../errors.ts';

/** How mixtures are made. Shares are probabilities. */
export interface MixerSettings {
  /** dB between the active levels of speech (with its room) and noise, lowest and highest. */
  readonly snr: readonly [number, number];
  /** dBFS of the mixture's root mean square, lowest and highest. */
  readonly level: readonly [number, number];
  /** dB by which an equaliser's bands go up and down at most. */
  readonly equaliser: number;
  /** Seconds behind the direct sound that belong to the speech. */
  readonly early: number;
  /** What is wanted of speech in a room: its `early` part, the direct sound (`dry`), or all of it (`reverberant`). */
  readonly target: 'early' | 'dry' | 'reverberant';
  /** Hz below which recordings of speech hold no voice, and nothing is wanted: taken out of them, in phase; 0, none. */
  readonly floor: number;
  /** Hz: rates of the lines that cut the band. */
  readonly bands: readonly number[];
  readonly shares: {
    readonly silence: number;
    readonly noiseOnly: number;
    readonly speechOnly: number;
    readonly twoNoises: number;
    readonly measuredRooms: number;
    readonly simulatedRooms: number;
    readonly equalised: number;
    readonly bandLimited: number;
    /** Of mixtures with noise that get rumble as well, at a ratio of its own. */
    readonly rumble: number;
    /** As loud as goes without clipping. */
    readonly fullScale: number;
  };
}

export const MIXER_DEFAULTS: MixerSettings = {
  snr: [-5, 20],
  level: [-35, -15],
  equaliser: 6,
  early: 0.05,
  target: 'early',
  floor: 0,
  bands: [8000, 11_025, 12_000],
  shares: {
    silence: 0.01,
    noiseOnly: 0.04,
    speechOnly: 0.05,
    twoNoises: 0.15,
    measuredRooms: 0.15,
    simulatedRooms: 0.35,
    equalised: 0.5,
    bandLimited: 0.08,
    rumble: 0,
    fullScale: 0.1,
  },
};

/** What may be left out of settings. */
export type PartialSettings = Partial<Omit<MixerSettings, 'shares'>> & {
  readonly shares?: Partial<MixerSettings['shares']> | undefined;
};

/** Settings with the defaults where nothing is given. @throws ArgumentError naming what cannot be. */
export function mixerSettings(given: PartialSettings = {}): MixerSettings {
  const settings: MixerSettings = {
    ...MIXER_DEFAULTS,
    ...given,
    shares: { ...MIXER_DEFAULTS.shares, ...given.shares },
  };
  const fail = (name: string, value: unknown, cure: string): never => {
    throw new ArgumentError(`${name}: ${JSON.stringify(value)}; ${cure}`);
  };
  for (const name of ['snr', 'level'] as const) {
    const [low, high] = settings[name];
    if (!(low <= high)) fail(name, settings[name], 'give the lowest and the highest in dB');
  }
  for (const [name, share] of Object.entries(settings.shares)) {
    if (!Object.hasOwn(MIXER_DEFAULTS.shares, name)) {
      fail(`shares.${name}`, share, `shares are ${Object.keys(MIXER_DEFAULTS.shares).join(', ')}`);
    }
    if (!(share >= 0 && share <= 1)) fail(`shares.${name}`, share, 'give a probability, 0 to 1');
  }
  const { silence, noiseOnly, speechOnly, measuredRooms, simulatedRooms } = settings.shares;
  if (silence + noiseOnly + speechOnly > 1) {
    fail('shares', { silence, noiseOnly, speechOnly }, 'together they are at most 1');
  }
  if (measuredRooms + simulatedRooms > 1) {
    fail('shares', { measuredRooms, simulatedRooms }, 'together they are at most 1');
  }
  if (!['early', 'dry', 'reverberant'].includes(settings.target)) {
    fail('target', settings.target, 'choose early, dry or reverberant');
  }
  if (!(settings.floor >= 0 && settings.floor <= 100)) fail('floor', settings.floor, 'give Hz, 0 to 100');
  if (!(settings.early > 0 && settings.early <= 1)) fail('early', settings.early, 'give seconds, about 0.05');
  return settings;
}
