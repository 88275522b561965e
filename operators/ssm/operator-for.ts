import type { Model } from '../../src/signal/index.ts';
import type { Parameters } from '../../src/stream/index.ts';
import type { SsmOptions } from './options.ts';
import { ssm, type SsmOperator } from './ssm.ts';

/**
 * A named operator for a layer or model, from the function that makes one of its configuration. It has no body
 * of its own: `operatorFor(s4d)(config, parameters, options)` is `ssm(s4d(config), parameters, options)`.
 *
 * @example
 * const denoise = operatorFor(denoiser);
 * microphone.pipe(denoise({ features: 1 }, parameters));
 */
export const operatorFor =
  <Config>(factory: (config: Config) => Model) =>
  (config: Config, parameters: Parameters, options?: SsmOptions): SsmOperator =>
    ssm(factory(config), parameters, options);

/**
 * The same for layers whose configuration is all there is to them: `fixedOperatorFor(lti)(system, placement, options)`
 * is `ssm(lti(system, placement), {}, options)`. Two arguments for two things: `placement` says what the layer
 * is (also at which rate it was made), `options` how it runs.
 */
export const fixedOperatorFor =
  <Config, Placement>(factory: (config: Config, placement?: Placement) => Model) =>
  (config: Config, placement?: Placement, options?: SsmOptions): SsmOperator =>
    ssm(factory(config, placement), {}, options);
