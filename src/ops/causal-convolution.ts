import FFT from 'fft.js';

/** y[k] = Σₗ K[l] u[k − l] of the frames 0 … L − 1; arrays are read and written over the first L elements. */
export type CausalConvolution = (kernel: Float64Array, u: Float64Array, y: Float64Array) => void;

/**
 * Convolutions of sequences of `frames` frames with kernels as long, by FFT in O(L log L), in float64: what the
 * `long` forms of linear recurrences share. The scratch memory is planned once.
 */
export function causalConvolution(frames: number): CausalConvolution {
  let size = 2;
  while (size < 2 * frames) size *= 2;
  const fft = new FFT(size);
  const padded = new Float64Array(size);
  const kernelSpectrum = fft.createComplexArray() as number[];
  const spectrum = fft.createComplexArray() as number[];
  const result = fft.createComplexArray() as number[];
  const transform = (into: number[], data: Float64Array): void => {
    padded.fill(0);
    padded.set(data.subarray(0, frames));
    fft.realTransform(into, padded);
    fft.completeSpectrum(into);
  };
  return (kernel, u, y) => {
    transform(kernelSpectrum, kernel);
    transform(spectrum, u);
    for (let i = 0; i < size; i++) {
      const re =
        spectrum[2 * i]! * kernelSpectrum[2 * i]! - spectrum[2 * i + 1]! * kernelSpectrum[2 * i + 1]!;
      spectrum[2 * i + 1] =
        spectrum[2 * i]! * kernelSpectrum[2 * i + 1]! + spectrum[2 * i + 1]! * kernelSpectrum[2 * i]!;
      spectrum[2 * i] = re;
    }
    fft.inverseTransform(result, spectrum);
    for (let k = 0; k < frames; k++) y[k] = result[2 * k]!;
  };
}
