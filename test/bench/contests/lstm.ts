import { lstm } from '../../../src/layers/lstm.ts';
import { initialise } from '../../../src/layers/initialise.ts';
import type { Contest } from '../contest.ts';
import { noise } from '../noise.ts';
import { ours } from '../ours.ts';
import { native, WIDTHS, type Width } from '../peers/native.ts';

const BLOCK = 128;
const model = lstm({ features: 1, hidden: 16 });
const parameters = initialise(model, 11);

/** An LSTM of one input and 16 units in C++. */
export function nativeLstm(width: Width) {
  const value = (name: string): Float64Array => parameters.get(`${name}_l0`)!;
  const bias = value('bias_ih').map((b, i) => b + value('bias_hh')[i]!);
  return native({
    source: 'lstm',
    width,
    sizes: [BLOCK],
    parameters: [value('weight_ih'), value('weight_hh'), bias],
    block: BLOCK,
  }).then((contender) => ({ ...contender, name: `native C++ LSTM-16 ${width}` }));
}

/** Also what proves the native LSTM before it stands beside S4D. */
export const lstmContests: readonly Contest[] = [
  {
    name: 'lstm 16 block128',
    about: 'An LSTM of one input and 16 units, blocks of 128.',
    open: () => ours(model, parameters, { block: BLOCK }),
    probe: noise(16 * BLOCK, 5),
    peers: WIDTHS.map((width) => ({
      name: `native C++ LSTM-16 ${width}`,
      open: () => nativeLstm(width),
    })),
  },
];
