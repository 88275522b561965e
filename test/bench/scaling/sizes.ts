import { initialise } from '../../../src/layers/initialise.ts';
import { mamba } from '../../../src/layers/mamba.ts';
import { s4d } from '../../../src/layers/s4d.ts';
import { sequential } from '../../../src/signal/index.ts';
import { nativeS4d } from '../contests/s4d.ts';
import { ours } from '../ours.ts';
import { s4dRecurrence } from '../s4d/model.ts';
import type { Chart } from './chart.ts';
import { sweep } from './sweep.ts';

const BLOCK = 128;

const recurrence = (channels: number, states: number, block = BLOCK) => {
  const { model, parameters } = s4dRecurrence(channels, states);
  return ours(model, parameters, { block });
};

const mixer = mamba({ features: 64 });
const mixerParameters = initialise(mixer, 13);

export const sizeCharts: readonly Chart[] = [
  sweep({
    name: 'states',
    title: 'Cost against states',
    about: "S4D's recurrence, 64 channels, blocks of 128.",
    x: 'complex states a channel',
    at: [4, 8, 16, 32, 64, 128, 256],
    quickly: [4, 32],
    lines: [
      { label: 'statewave', open: (states) => recurrence(64, states) },
      { label: 'native C++ 128-bit', open: (states) => nativeS4d(s4dRecurrence(64, states), '128-bit') },
    ],
  }),
  sweep({
    name: 'channels',
    title: 'Cost against channels',
    about: "S4D's recurrence, 32 complex states a channel, blocks of 128.",
    x: 'channels',
    at: [4, 8, 16, 32, 64, 128, 256],
    quickly: [4, 64],
    lines: [
      { label: 'statewave', open: (channels) => recurrence(channels, 32) },
      { label: 'native C++ 128-bit', open: (channels) => nativeS4d(s4dRecurrence(channels, 32), '128-bit') },
    ],
  }),
  sweep({
    name: 'layers',
    title: 'Cost against layers',
    about:
      'Whole S4D layers one behind the other (32 channels × 16 complex states, GELU, 32 → 64, GLU), blocks of 128.',
    x: 'layers',
    at: [1, 2, 4, 8, 16, 32],
    quickly: [1, 4],
    lines: [
      {
        label: 'statewave',
        open(layers) {
          const layer = s4d({ features: 32, states: 32 });
          const stack = sequential([layer, ...Array<typeof layer>(layers - 1).fill(layer)]);
          return ours(stack, initialise(stack, 3), { block: BLOCK });
        },
      },
    ],
  }),
  sweep({
    name: 'block',
    title: 'Cost against the size of a block',
    about: "S4D's recurrence (64 × 32), a Mamba mixer (d_model 64), and the same recurrence in C++.",
    x: 'samples in a block',
    at: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
    quickly: [1, 128],
    lines: [
      { label: 'statewave S4D 64 × 32', open: (block) => recurrence(64, 32, block) },
      { label: 'statewave Mamba 64', open: (block) => ours(mixer, mixerParameters, { block }) },
      {
        label: 'native C++ 128-bit S4D',
        open: (block) => nativeS4d(s4dRecurrence(64, 32), '128-bit', block),
      },
    ],
  }),
];
