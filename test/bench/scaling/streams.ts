import { bank, forks } from '../contests/streams.ts';
import type { Chart } from './chart.ts';
import { sweep } from './sweep.ts';

export const streamCharts: readonly Chart[] = [
  sweep({
    name: 'streams',
    title: 'Cost against the number of streams',
    about:
      'Independent states of one model (S4D, 16 channels × 8 complex states), nanoseconds a sample of one stream.',
    x: 'streams',
    at: [1, 4, 16, 64, 256, 1024, 4096],
    quickly: [1, 64],
    lines: [
      { label: 'blocks of 128, one call', open: (count) => bank(count, 128) },
      { label: 'blocks of 128, a call a stream', open: (count) => forks(count, 128) },
      { label: 'one sample, one call', open: (count) => bank(count, 1) },
      { label: 'one sample, a call a stream', open: (count) => forks(count, 1) },
    ],
  }),
];
