import { ArgumentError } from '../errors.ts';
import type { Optimizer, ParameterSettings } from './optimizer.ts';

/** Parameters that are treated alike. */
export interface ParameterGroup {
  /** Names, or patterns with `*` for any text (`layers.0.*`, `*.log_dt`), or a regular expression. */
  readonly match: string | RegExp | readonly (string | RegExp)[];
  /** Learning rate; that of the optimiser. 0 freezes. */
  readonly rate?: number | undefined;
  /** Decay; that of the optimiser. */
  readonly decay?: number | undefined;
}

export interface AdamwOptions {
  /** Learning rate; 1e-3. */
  readonly rate?: number | undefined;
  /** Decay a step, times the learning rate; 0.01. */
  readonly decay?: number | undefined;
  /** Learning rate of what makes the recurrence (A, dt, B): min(rate, 1e-3), as state-spaces/s4 and S5 have it. */
  readonly stateRate?: number | undefined;
  /** 0.9 */
  readonly beta1?: number | undefined;
  /** 0.999 */
  readonly beta2?: number | undefined;
  /** 1e-8 */
  readonly eps?: number | undefined;
  /** Largest norm of the gradient; 1. Infinity for no clipping. */
  readonly clip?: number | undefined;
  /** Of your own; the first that matches a parameter counts, and they come before the default ones. */
  readonly groups?: readonly ParameterGroup[] | undefined;
}

/**
 * Names of the layers' official code behind any prefix. A recurrence's poles and steps live near the edge of what is
 * stable: they learn slowly, and nothing pulls them to zero, which means another time constant rather than a smaller
 * weight.
 */
const states = [
  // S4, S4D, S5: A, dt and B.
  'log_A_real|A_imag|A_real|A|P|B|log_dt|inv_dt|log_step|Lambda_re|Lambda_im',
  // LRU and RG-LRU.
  'nu_log|theta_log|gamma_log|B_re|B_im|recurrent_param',
  // Mamba and what followed it, both directions of Vision Mamba; RWKV.
  'A_log|A_b_log|dt_bias|time_decay',
].join('|');

const statesOf = new RegExp(`(^|\\.)(${states}|dt_proj(_b)?\\.bias)$`);
/** Feed-throughs, initial states, biases and norms: shifts and scales, which decay would only bias. */
const undecayed =
  /(^|\.)(D|D_b|h0\w*|c0\w*|time_first|bonus|r_k|bias\w*|\w+_bias|(\w*norm\w*|(\w+_)?ln\w*)(\.\d+)*\.weight|norms\.\d+\.weight)$/;
/** Fixed numbers that checkpoints carry among the parameters. */
const frozen = /(^|\.)(running_mean|running_var|feature_map\.omega)$/;

/**
 * AdamW with the groups that state space models want: what makes the recurrence at its own rate and without decay,
 * biases, norms and feed-throughs without decay, recorded statistics frozen.
 *
 * @throws ArgumentError naming the option that is out of its range.
 * @example
 * const optimizer = adamw({ rate: 3e-3, groups: [{ match: 'encoder.*', rate: 0 }] });
 */
export function adamw(options: AdamwOptions = {}): Optimizer {
  const {
    rate = 1e-3,
    decay = 0.01,
    beta1 = 0.9,
    beta2 = 0.999,
    eps = 1e-8,
    clip = 1,
    groups = [],
  } = options;
  const { stateRate = Math.min(rate, 1e-3) } = options;
  const within = (name: string, value: number, fits: boolean, cure: string): void => {
    if (!fits) throw new ArgumentError(`adamw: ${name} is ${value}; give ${cure}`);
  };
  for (const [name, value] of [
    ['rate', rate],
    ['decay', decay],
    ['stateRate', stateRate],
    ...groups.flatMap((group, i) => [
      [`rate of group ${i}`, group.rate ?? 0] as const,
      [`decay of group ${i}`, group.decay ?? 0] as const,
    ]),
  ] as const)
    within(name, value, value >= 0 && value < Infinity, 'a finite number of at least 0');
  for (const [name, value] of [
    ['beta1', beta1],
    ['beta2', beta2],
  ] as const)
    within(name, value, value >= 0 && value < 1, 'a number from 0, below 1');
  within('eps', eps, eps > 0, 'a number above 0, such as 1e-8');
  within('clip', clip, clip > 0, 'a number above 0, or Infinity for no clipping');

  const all: readonly ParameterGroup[] = [
    ...groups,
    { match: frozen, rate: 0, decay: 0 },
    { match: statesOf, rate: stateRate, decay: 0 },
    { match: undecayed, decay: 0 },
  ];
  const tests = all.map(({ match }) => [match].flat().map(patternOf));
  return {
    kind: 'adamw',
    beta1,
    beta2,
    eps,
    clip,
    settingsOf(parameter): ParameterSettings {
      const group = all[tests.findIndex((patterns) => patterns.some((pattern) => pattern.test(parameter)))];
      return { rate: group?.rate ?? rate, decay: group?.decay ?? decay };
    },
  };
}

const patternOf = (match: string | RegExp): RegExp =>
  typeof match === 'string'
    ? new RegExp(`^${match.split('*').map(escapeText).join('.*')}$`)
    : new RegExp(match.source, match.flags.replace('g', ''));

const escapeText = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
