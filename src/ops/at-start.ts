import type { Signal } from '../signal/index.ts';
import { defineOp } from '../signal/index.ts';

/**
 * 1 at the first frame of a fresh stream, 0 at all others. What it remembers is part of the state: where a stream
 * forgets its past (`nonFinite: 'reset'`), the next frame is a first one again.
 */
const atStartOp = defineOp<null>({
  name: 'at-start',
  shape: () => [1],
  time: () => 'free',
  state: () => ({ begun: { shape: [1], type: 'signal' } }),
  step({ output, state }) {
    const begun = state['begun']!;
    output.data[output.at] = begun[0] === 0 ? 1 : 0;
    begun[0] = 1;
  },
  // It depends on time alone.
  adjoint() {},
});

/** (1): 1 at the first frame of `x`, 0 afterwards, for rules that hold where there is no past. */
export const atStart = (x: Signal): Signal => x.trace.apply(atStartOp, null, [x]);
