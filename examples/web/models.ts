/** The page's models as the worklet makes them, and as a test on a desk makes them too. */
import { compile, type Stream } from 'statewave';
import { modelFor } from 'statewave/models';
import { controlled, resampled, type LiveContext, type LiveModel } from 'statewave/web';
import { digitListener } from './digits.ts';
import type { ModelName, Weights } from './messages.ts';
import { RESONATOR, resonator } from './resonator.ts';

/** A stream of a trained model, at the rate of its weights. */
function trained(name: ModelName, weights: Weights | undefined): Stream {
  if (weights === undefined) throw new Error(`${name} needs weights`);
  const model = modelFor(weights.format, weights.config);
  // What a sound card gives is finite; should it not be, one sample of silence is better than an end.
  return compile(model, weights.parameters, { nonFinite: 'zero' });
}

export function liveModel(name: ModelName, weights: Weights | undefined, context: LiveContext): LiveModel {
  switch (name) {
    case 'denoiser':
      return resampled(trained(name, weights), context);
    case 'digits':
      return digitListener(trained(name, weights), context);
    case 'resonator': {
      const stream = compile(resonator(), {}, { sampleRate: context.sampleRate, nonFinite: 'zero' });
      return controlled(stream, RESONATOR, context);
    }
  }
}
