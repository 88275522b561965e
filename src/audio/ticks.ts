/** Round positions on an axis from `from` to `to`: multiples of 1, 2 or 5 times a power of ten, at most `most`. */
export function ticks(from: number, to: number, most: number): number[] {
  const span = to - from;
  if (!(span > 0) || most < 1) return [];
  const step = roundStep(span / most);
  return multiples(from, to, step);
}

/** The same for seconds: from a minute on in steps that clocks have. */
export function timeTicks(seconds: number, most: number): number[] {
  const rough = seconds / most;
  if (rough <= 20) return ticks(0, seconds, most);
  const step = [30, 60, 120, 300, 600, 900, 1800, 3600].find((s) => s >= rough);
  return multiples(0, seconds, step ?? 3600 * roundStep(rough / 3600));
}

/** `1.5`, `2:05`, `1:02:05`: seconds below a minute, a clock beyond, as precise as the step between ticks. */
export function timeLabel(seconds: number, step: number, total: number): string {
  if (total < 60) return decimals(seconds, step);
  const whole = Math.round(seconds);
  const two = (n: number): string => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return total < 3600 ? `${h * 60 + m}:${two(s)}` : `${h}:${two(m)}:${two(s)}`;
}

/** A number with as many decimals as the step between its neighbours needs. */
export function decimals(value: number, step: number): string {
  const digits = step > 0 && step < 1 ? Math.ceil(-Math.log10(step) - 1e-9) : 0;
  return value.toFixed(digits);
}

function multiples(from: number, to: number, step: number): number[] {
  const found: number[] = [];
  // Counted in whole steps, since sums of 0.1 drift; + 0 turns −0 to 0.
  for (let k = Math.ceil(from / step - 1e-9); k * step <= to + step * 1e-9; k++) found.push(k * step + 0);
  return found;
}

function roundStep(rough: number): number {
  const unit = 10 ** Math.floor(Math.log10(rough));
  for (const factor of [1, 2, 5]) if (factor * unit >= rough * (1 - 1e-9)) return factor * unit;
  return 10 * unit;
}
