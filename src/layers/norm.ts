import { add, div, mul, normalise, sqrt, sub, type NormaliseOptions } from '../ops/index.ts';
import { filled } from './initialisers.ts';
import { type Signal, type Trace } from '../signal/index.ts';

/** torch `LayerNorm` over the last axis: `<name>.weight`, `<name>.bias`. */
export function layerNorm(trace: Trace, x: Signal, name: string, eps = 1e-5): Signal {
  return affine(trace, x, name, { groups: groupsOver(x), eps });
}

/** torch `GroupNorm`, frame by frame: `groups` groups of neighbouring channels. */
export function groupNorm(trace: Trace, x: Signal, name: string, groups: number, eps = 1e-5): Signal {
  return affine(trace, x, name, { groups, eps });
}

/** torch `RMSNorm` over the last axis: `<name>.weight` alone. */
export function rmsNorm(trace: Trace, x: Signal, name: string, eps = 1e-5): Signal {
  const weight = trace.parameter(`${name}.weight`, [x.shape.at(-1)!], filled(1));
  return mul(normalise(x, { groups: groupsOver(x), centre: false, eps }), weight);
}

/**
 * torch `BatchNorm1d` as it runs after training: the recorded mean and variance of each channel,
 * `<name>.running_mean`, `<name>.running_var`, with `<name>.weight` and `<name>.bias`. It folds to constants.
 */
export function batchNorm(trace: Trace, x: Signal, name: string, eps = 1e-5): Signal {
  const parameter = (key: string, value: number): Signal =>
    trace.parameter(`${name}.${key}`, [x.shape.at(-1)!], filled(value));
  const scale = div(parameter('weight', 1), sqrt(add(parameter('running_var', 1), eps)));
  return add(mul(sub(x, parameter('running_mean', 0)), scale), parameter('bias', 0));
}

/** All axes but the last are normalised each by itself. */
const groupsOver = (x: Signal): number => x.width / x.shape.at(-1)!;

function affine(trace: Trace, x: Signal, name: string, options: NormaliseOptions): Signal {
  const channels = [x.shape.at(-1)!];
  const y = normalise(x, options);
  return add(
    mul(y, trace.parameter(`${name}.weight`, channels, filled(1))),
    trace.parameter(`${name}.bias`, channels, filled(0)),
  );
}
