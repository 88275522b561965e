import { ArgumentError } from '../../errors.ts';
import { LEARNABLE, type Learnable, type LearningRule } from './recurrent-learning.ts';

/** How an online layer learns: AdamW's moments, without decay. */
export interface LearningOptions {
  /** Learning rate of the read-out (`C`, `D`); 1e-2. */
  readonly rate?: number;
  /** Learning rate of what makes the recurrence (poles, `B`, `log_dt`); a tenth of `rate`. */
  readonly stateRate?: number;
  /** Rates of single parameters; 0 freezes. */
  readonly rates?: Partial<Readonly<Record<Learnable, number>>>;
  /** Frames between two steps of the optimiser; 1. Infinity gathers the gradient and never steps. */
  readonly interval?: number;
  /** 0.9 */
  readonly beta1?: number;
  /** 0.999 */
  readonly beta2?: number;
  /** 1e-8 */
  readonly eps?: number;
  /** Largest norm of the gradient; Infinity by default: none. */
  readonly clip?: number;
}

const readOut: ReadonlySet<Learnable> = new Set(['C', 'D']);

/**
 * The rule of a layer, checked and filled in.
 *
 * @throws ArgumentError naming the option that is out of its range.
 */
export function learningRule(options: LearningOptions): LearningRule {
  const { rate = 1e-2, interval = 1, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, clip = Infinity } = options;
  const { stateRate = rate / 10, rates = {} } = options;
  const within = (name: string, value: number, fits: boolean, cure: string): void => {
    if (!fits) throw new ArgumentError(`online learning: ${name} is ${value}; give ${cure}`);
  };
  const all = Object.fromEntries(
    LEARNABLE.map((name) => [name, rates[name] ?? (readOut.has(name) ? rate : stateRate)]),
  ) as Record<Learnable, number>;
  for (const [name, value] of Object.entries({ rate, stateRate }))
    within(name, value, value >= 0 && value < Infinity, 'a finite number of at least 0');
  for (const [name, value] of Object.entries(all))
    within(`the rate of ${name}`, value, value >= 0 && value < Infinity, 'a finite number of at least 0');
  within('interval', interval, interval >= 1, 'frames, 1 or more');
  within('beta1', beta1, beta1 >= 0 && beta1 < 1, 'a number from 0, below 1');
  within('beta2', beta2, beta2 >= 0 && beta2 < 1, 'a number from 0, below 1');
  within('eps', eps, eps > 0, 'a number above 0, such as 1e-8');
  within('clip', clip, clip > 0, 'a number above 0, or Infinity for no clipping');
  return {
    // JSON, in which the hash of a model is taken, knows no Infinity.
    interval: Math.min(interval, Number.MAX_VALUE),
    rates: all,
    beta1,
    beta2,
    eps,
    clip: clip === Infinity ? null : clip,
  };
}
