/**
 * The filter of n taps that comes closest to what was heard: least squares by the normal equations, whose matrix of
 * autocorrelations is Toeplitz, solved by Levinson's recursion.
 */
export function linearFit(
  pieces: readonly { readonly input: Float32Array; readonly answer: Float32Array }[],
  taps: number,
): (input: Float32Array) => Float32Array {
  const auto = new Float64Array(taps);
  const cross = new Float64Array(taps);
  for (const { input, answer } of pieces) {
    for (let lag = 0; lag < taps; lag++) {
      let [a, c] = [0, 0];
      for (let k = lag; k < input.length; k++) {
        a += input[k]! * input[k - lag]!;
        c += answer[k]! * input[k - lag]!;
      }
      auto[lag]! += a;
      cross[lag]! += c;
    }
  }
  // A trace of white noise keeps the recursion stable where the input has no energy.
  auto[0]! *= 1 + 1e-9;
  const h = levinson(auto, cross);
  return (input) =>
    input.map((_, k) => {
      let sum = 0;
      for (let lag = 0; lag < taps && lag <= k; lag++) sum += h[lag]! * input[k - lag]!;
      return sum;
    });
}

/** Solves T h = c for the symmetric Toeplitz matrix T of which `t` is the first row. */
function levinson(t: Float64Array, c: Float64Array): Float64Array {
  const n = t.length;
  const h = new Float64Array(n);
  // The filter that predicts, and its error.
  let a = Float64Array.of(1);
  let error = t[0]!;
  h[0] = c[0]! / error;
  for (let m = 1; m < n; m++) {
    let reflection = 0;
    for (let i = 0; i < m; i++) reflection -= a[i]! * t[m - i]!;
    reflection /= error;
    const next = new Float64Array(m + 1);
    for (let i = 0; i <= m; i++) next[i] = (a[i] ?? 0) + reflection * (a[m - i] ?? 0);
    a = next;
    error *= 1 - reflection * reflection;
    let missing = c[m]!;
    for (let i = 0; i < m; i++) missing -= h[i]! * t[m - i]!;
    const step = missing / error;
    for (let i = 0; i <= m; i++) h[i]! += step * a[m - i]!;
  }
  return h;
}
