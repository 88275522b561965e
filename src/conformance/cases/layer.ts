import type { Case, Subject } from '../case.ts';
import { block } from '../ways/block.ts';
import { chunks } from '../ways/chunks.ts';
import { grad } from '../ways/grad.ts';
import { step } from '../ways/step.ts';

/**
 * The ways in which every model is compared that has official inputs and outputs. A family adds what it has
 * beyond: kernels, states, further outputs.
 */
export function layerCase(subject: Subject, more: Partial<Case> = {}): Case {
  return {
    ...more,
    ways: {
      block: block(subject),
      step: step(subject),
      chunks: chunks(subject),
      grad: grad(subject),
      ...more.ways,
    },
  };
}
