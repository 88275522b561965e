import { describe, expect, it } from 'vitest';
import { dropout } from '../../src/ops/index.ts';
import { Trace } from '../../src/signal/index.ts';
import { verifyOp } from '../contract/op.ts';

describe('dropout', () => {
  // Outside of training it is its input; what it is in training, test/train/for-training says.
  verifyOp({
    name: 'dropout',
    inputs: { input: [3] },
    build: (_trace, { input }) => dropout(input!, { rate: 0.4 }),
  });

  it('is nothing at all at rate 0, and of constants', () => {
    const trace = new Trace();
    const [x, c] = [trace.input('x', [2]), trace.literal([1, 2])];
    expect(dropout(x, { rate: 0 })).toBe(x);
    expect(dropout(c, { rate: 0.5 })).toBe(c);
  });
});
