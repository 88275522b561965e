import { reference } from '../../../src/backends/reference/index.ts';
import { wasm } from '../../../src/backends/wasm/index.ts';
import { faster, within, type Contest, type Peer, type Target } from '../contest.ts';
import { fastest } from '../measure.ts';
import { noise } from '../noise.ts';
import { ours } from '../ours.ts';
import { native, WIDTHS, type Width } from '../peers/native.ts';
import { onnxRuntime } from '../peers/onnxruntime.ts';
import type { TfBackend } from '../peers/tfjs.ts';
import { s4dRecurrence, type S4d } from '../s4d/model.ts';
import { s4dChunks, s4dFrame, s4dScan } from '../s4d/onnx.ts';
import { s4dTensors } from '../s4d/tfjs.ts';
import { nativeLstm } from './lstm.ts';

const BLOCK = 128;
/** Lengths of chunk among which the peers' best is found. */
const CHUNKS = [8, 16, 32, 64, 128];

/** The recurrence in C++. */
export const nativeS4d = ({ channels, states, aRe, aIm, cRe, cIm }: S4d, width: Width, block = BLOCK) =>
  native({ source: 's4d', width, sizes: [channels, states, block], parameters: [aRe, aIm, cRe, cIm], block });

/** Products over chunks, of the length that is fastest on this machine. */
async function bestChunks(s4d: S4d) {
  const runtime = await onnxRuntime();
  return fastest(await Promise.all(CHUNKS.map((length) => s4dChunks(runtime, s4d, BLOCK, length))));
}

async function bestTensors(backend: TfBackend, s4d: S4d) {
  const forms = [];
  for (const length of CHUNKS) forms.push(await s4dTensors(backend, s4d, BLOCK, length));
  return fastest(forms);
}

const wide = s4dRecurrence(64, 32);
const narrow = s4dRecurrence(16, 8);
const run = (s4d: S4d, block: number, rest = {}) => ours(s4d.model, s4d.parameters, { block, ...rest });

const natives = (s4d: S4d, target?: Target): Peer[] =>
  WIDTHS.map((width) => ({
    name: `native C++ ${width}`,
    open: () => nativeS4d(s4d, width),
    target: width === '128-bit' ? target : undefined,
  }));

export const s4dContests: readonly Contest[] = [
  {
    name: 's4d 64x32 block128',
    about:
      'The recurrence of S4D, 64 channels × 32 complex states, float32, blocks of 128; a sample is a frame of all channels.',
    open: () => run(wide, BLOCK),
    probe: noise(16 * BLOCK * 64, 3),
    peers: [
      ...natives(wide, within(1.6)),
      { name: 'onnxruntime-node, products over chunks', open: () => bestChunks(wide), target: faster(3) },
      {
        name: 'onnxruntime-node, Scan operator',
        open: async () => s4dScan(await onnxRuntime(), wide, BLOCK),
        target: faster(10),
      },
      { name: '@tensorflow/tfjs wasm', open: () => bestTensors('wasm', wide) },
      { name: '@tensorflow/tfjs cpu', open: () => bestTensors('cpu', wide) },
      {
        name: 'statewave without relaxed SIMD',
        open: () =>
          run(wide, BLOCK, { backend: wasm({ deterministic: true }), name: 'statewave deterministic' }),
      },
      {
        name: 'statewave, precision auto',
        open: () => run(wide, BLOCK, { precision: 'auto', name: 'statewave, precision auto' }),
      },
      {
        name: 'statewave reference',
        open: () => run(wide, BLOCK, { backend: reference, name: 'statewave reference' }),
      },
    ],
  },
  {
    name: 's4d 16x8 block128',
    about:
      'The same with 16 channels × 8 complex states, against an LSTM of 16 units on one input (torch gates).',
    open: () => run(narrow, BLOCK),
    probe: noise(16 * BLOCK * 16, 3),
    peers: [
      ...natives(narrow),
      { name: 'onnxruntime-node, products over chunks', open: () => bestChunks(narrow) },
      ...WIDTHS.map((width): Peer => ({
        name: `native C++ LSTM-16 ${width}`,
        open: () => nativeLstm(width),
        otherWork: true,
        target: faster(2),
      })),
    ],
  },
  {
    name: 's4d 64x32 block1',
    about: 'The same recurrence, one sample a call.',
    open: () => run(wide, 1),
    probe: noise(64 * BLOCK, 3),
    peers: [
      {
        name: 'onnxruntime-node, a frame a call',
        open: async () => s4dFrame(await onnxRuntime(), wide),
        target: faster(25),
      },
      {
        name: 'statewave, blocks of 128',
        open: () => run(wide, BLOCK, { name: 'statewave, blocks of 128' }),
        target: within(1.6),
      },
      { name: 'native C++ 128-bit', open: () => nativeS4d(wide, '128-bit', 1) },
    ],
  },
];
