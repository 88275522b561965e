import { GraphError } from '../errors.ts';
import { periodicWindow, windowNames, type WindowName } from '../math/window.ts';

/** Frames of a short-time spectrum, for both directions. */
export interface StftOptions {
  /** N: samples a spectrum is made of, torch's `n_fft`; any whole number, fastest as a power of two. */
  readonly size: number;
  /** Samples from one spectrum to the next. */
  readonly hop: number;
  /** `hann` by default; periodic, as torch makes it. Or N numbers. */
  readonly window?: WindowName | ArrayLike<number>;
  /**
   * Where the first spectrum stands:
   *
   * | padding | spectrum j sees samples | |
   * | --- | --- | --- |
   * | `causal` (default) | j·hop − (N − hop) … (j + 1)·hop − 1 | complete with each hop |
   * | `centre` | j·hop − ⌊N/2⌋ … | torch `center=True, pad_mode='constant'`: looks ahead |
   * | `valid` | j·hop … j·hop + N − 1 | torch `center=False` |
   */
  readonly padding?: 'causal' | 'centre' | 'valid';
}

export type StftPadding = NonNullable<StftOptions['padding']>;

/** The same, checked and complete. */
export interface StftFrames {
  readonly size: number;
  readonly hop: number;
  /** A name or N numbers: plain data, so that it tells models apart. */
  readonly window: WindowName | readonly number[];
  readonly padding: StftPadding;
}

/**
 * Checks the options of a short-time spectrum.
 *
 * @param place for messages, such as `stft of input`.
 * @throws GraphError naming the option, its value and the cure.
 */
export function stftFrames(options: StftOptions, place: string): StftFrames {
  const { size, hop, window = 'hann', padding = 'causal' } = options;
  const refuse = (message: string): never => {
    throw new GraphError(`${place}: ${message}`);
  };
  for (const [name, value] of [
    ['size', size],
    ['hop', hop],
  ] as const) {
    if (!(Number.isSafeInteger(value) && value >= 1))
      refuse(`${name} is ${value}; give a whole number of samples, 1 or more`);
  }
  if (!['causal', 'centre', 'valid'].includes(padding))
    refuse(`padding ${JSON.stringify(padding)} is unknown; use causal, centre or valid`);
  if (typeof window === 'string') {
    if (!windowNames.includes(window))
      refuse(
        `window "${String(window)}" is unknown; use one of ${windowNames.join(', ')}, or give ${size} numbers`,
      );
    return { size, hop, window, padding };
  }
  const numbers = Array.from(window);
  if (numbers.length !== size)
    refuse(
      `the window has ${numbers.length} numbers, the spectrum ${size} samples; pad the window with zeros to that`,
    );
  const strange = numbers.findIndex((value) => !Number.isFinite(value));
  if (strange >= 0) refuse(`the window's number ${strange} is ${numbers[strange]}; give finite numbers`);
  return { size, hop, window: numbers, padding };
}

/** The window's numbers. */
export const windowOf = ({ window, size }: StftFrames): Float64Array =>
  typeof window === 'string' ? periodicWindow(window, size) : Float64Array.from(window);
