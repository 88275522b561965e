import { torchUniform } from './initialisers.ts';
import {
  convolution,
  transposedConvolution,
  type ConvolutionOptions,
  type TransposedConvolutionOptions,
} from '../ops/index.ts';
import { type Signal, type Trace } from '../signal/index.ts';

export interface Conv1dOptions extends Omit<ConvolutionOptions, 'bias'> {
  readonly name: string;
  readonly outputs: number;
  readonly taps: number;
  readonly bias?: boolean;
}

/** torch `Conv1d`: `<name>.weight` (outputs × inputs a group × taps) and `<name>.bias`. */
export function conv1d(
  trace: Trace,
  x: Signal,
  { name, outputs, taps, bias = true, ...options }: Conv1dOptions,
): Signal {
  const inputs = x.width / (options.groups ?? 1);
  const init = torchUniform(inputs * taps);
  const weight = trace.parameter(`${name}.weight`, [outputs, inputs, taps], init);
  return convolution(x, weight, {
    ...options,
    bias: bias ? trace.parameter(`${name}.bias`, [outputs], init) : undefined,
  });
}

export interface ConvTranspose1dOptions extends Omit<TransposedConvolutionOptions, 'bias'> {
  readonly name: string;
  readonly outputs: number;
  readonly taps: number;
}

/** torch `ConvTranspose1d`: `<name>.weight` (inputs × outputs a group × taps) and `<name>.bias`. */
export function convTranspose1d(
  trace: Trace,
  x: Signal,
  { name, outputs, taps, ...options }: ConvTranspose1dOptions,
): Signal {
  const perGroup = outputs / (options.groups ?? 1);
  const init = torchUniform(perGroup * taps);
  const weight = trace.parameter(`${name}.weight`, [x.width, perGroup, taps], init);
  return transposedConvolution(x, weight, {
    ...options,
    bias: trace.parameter(`${name}.bias`, [outputs], init),
  });
}
