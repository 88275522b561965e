/**
 * Windows of N numbers for spectra, periodic: w[N] would be w[0], as torch and scipy (`sym=False`) make them for
 * analysis by frames, so that shifted copies add up to a constant.
 */
const windows = {
  /** ½ − ½ cos(2πn/N). */
  hann: (n: number, size: number) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / size),
  /** 0.54 − 0.46 cos(2πn/N): does not vanish at its edge. */
  hamming: (n: number, size: number) => 0.54 - 0.46 * Math.cos((2 * Math.PI * n) / size),
  /** 0.42 − 0.5 cos(2πn/N) + 0.08 cos(4πn/N). */
  blackman: (n: number, size: number) =>
    0.42 - 0.5 * Math.cos((2 * Math.PI * n) / size) + 0.08 * Math.cos((4 * Math.PI * n) / size),
  /** √hann = sin(πn/N): analysis and synthesis by it together make one hann window. */
  'sqrt-hann': (n: number, size: number) => Math.sin((Math.PI * n) / size),
  /** sin(π/2 · sin²(π(n + ½)/N)), of the Vorbis I specification, 4.3.1: power-complementary at half overlap. */
  vorbis: (n: number, size: number) => Math.sin((Math.PI / 2) * Math.sin((Math.PI * (n + 0.5)) / size) ** 2),
  rectangular: () => 1,
};

export type WindowName = keyof typeof windows;

export const windowNames = Object.keys(windows) as readonly WindowName[];

/**
 * The N numbers of a window.
 *
 * @example periodicWindow('hann', 4) // 0, 0.5, 1, 0.5
 */
export const periodicWindow = (name: WindowName, size: number): Float64Array =>
  Float64Array.from({ length: size }, (_, n) => windows[name](n, size));
