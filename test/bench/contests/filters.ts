import { designSections, sosToTf } from '../../../src/filters/index.ts';
import { biquadFilter } from '../../../src/layers/filter.ts';
import { lti } from '../../../src/layers/lti.ts';
import type { Contest } from '../contest.ts';
import { noise } from '../noise.ts';
import { ours } from '../ours.ts';
import { webAudio } from '../peers/web-audio.ts';

const BLOCK = 128;
const RATE = 48_000;
const probe = noise(100 * BLOCK, 7);

const BANDS = [100, 250, 500, 1000, 2000, 4000, 8000, 12_000];
const butterworth = sosToTf(
  designSections({ family: 'butterworth', order: 6, type: 'lowpass', cutoff: 4000, sampleRate: RATE }),
);

export const filterContests: readonly Contest[] = [
  {
    name: 'biquad block128',
    about:
      'One BiquadFilterNode (low-pass, 1 kHz, Q 1) at 48 kHz, one channel; ours in float64, as lti always runs.',
    open: () =>
      ours(
        biquadFilter([{ type: 'lowpass', frequency: 1000, Q: 1 }]),
        {},
        { block: BLOCK, sampleRate: RATE },
      ),
    probe,
    peers: [
      {
        name: 'node-web-audio-api BiquadFilterNode',
        open: () =>
          webAudio('BiquadFilterNode', (context) => {
            const node = context.createBiquadFilter();
            node.frequency.value = 1000;
            node.Q.value = 1;
            return [node];
          }),
      },
    ],
  },
  {
    name: 'biquads 8 block128',
    about: 'Eight BiquadFilterNodes (notches) one behind the other.',
    open: () =>
      ours(
        biquadFilter(BANDS.map((frequency) => ({ type: 'notch', frequency, Q: 4 }))),
        {},
        { block: BLOCK, sampleRate: RATE },
      ),
    probe,
    peers: [
      {
        name: 'node-web-audio-api BiquadFilterNode',
        open: () =>
          webAudio('8 BiquadFilterNodes', (context) =>
            BANDS.map((frequency) => {
              const node = context.createBiquadFilter();
              node.type = 'notch';
              node.frequency.value = frequency;
              node.Q.value = 4;
              return node;
            }),
          ),
      },
    ],
  },
  {
    name: 'iir order 6 block128',
    about: 'An IIRFilterNode: Butterworth low-pass of order 6 at 4 kHz; ours factors it into three sections.',
    open: () => ours(lti(butterworth, { sampleRate: RATE }), {}, { block: BLOCK, sampleRate: RATE }),
    probe,
    peers: [
      {
        name: 'node-web-audio-api IIRFilterNode',
        open: () =>
          webAudio('IIRFilterNode', (context) => [
            context.createIIRFilter([...butterworth.b], [...butterworth.a]),
          ]),
      },
    ],
  },
];
