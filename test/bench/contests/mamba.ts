import { reference } from '../../../src/backends/reference/index.ts';
import { initialise } from '../../../src/layers/initialise.ts';
import { mamba } from '../../../src/layers/mamba.ts';
import { within, type Contest, type Peer } from '../contest.ts';
import { mambaScan } from '../mamba/onnx.ts';
import { noise } from '../noise.ts';
import { ours } from '../ours.ts';
import { native, WIDTHS, type Width } from '../peers/native.ts';
import { onnxRuntime } from '../peers/onnxruntime.ts';

const BLOCK = 128;
const FEATURES = 64;
const model = mamba({ features: FEATURES });
const parameters = initialise(model, 13);

function nativeMamba(width: Width) {
  const value = (name: string): Float64Array => parameters.get(name)!;
  return native({
    source: 'mamba',
    width,
    sizes: [BLOCK],
    parameters: [
      value('in_proj.weight'),
      value('conv1d.weight'),
      value('conv1d.bias'),
      value('x_proj.weight'),
      value('dt_proj.weight'),
      value('dt_proj.bias'),
      value('A_log').map((log) => -Math.exp(log)),
      value('D'),
      value('out_proj.weight'),
    ],
    block: BLOCK,
  });
}

const targets: Partial<Record<Width, Peer['target']>> = { '128-bit': within(1.5) };

export const mambaContests: readonly Contest[] = [
  {
    name: 'mamba 64 block128',
    about: 'The whole Mamba mixer: d_model 64, d_inner 128, d_state 16, d_conv 4, dt_rank 4; blocks of 128.',
    open: () => ours(model, parameters, { block: BLOCK }),
    probe: noise(16 * BLOCK * FEATURES, 5),
    peers: [
      ...WIDTHS.map((width) => ({
        name: `native C++ ${width}`,
        open: () => nativeMamba(width),
        target: targets[width],
      })),
      {
        name: 'onnxruntime-node, products a block, Scan operator',
        open: async () => mambaScan(await onnxRuntime(), parameters, BLOCK),
      },
      {
        name: 'statewave reference',
        open: () =>
          ours(model, parameters, { block: BLOCK, backend: reference, name: 'statewave reference' }),
      },
    ],
  },
  {
    name: 'mamba 64 block1',
    about: 'The same mixer, one sample a call.',
    open: () => ours(model, parameters, { block: 1 }),
    probe: noise(4 * BLOCK * FEATURES, 5),
    peers: [
      {
        name: 'statewave, blocks of 128',
        open: () => ours(model, parameters, { block: BLOCK, name: 'statewave, blocks of 128' }),
      },
      {
        name: 'onnxruntime-node, products a block, Scan operator',
        open: async () => mambaScan(await onnxRuntime(), parameters, 1),
      },
    ],
  },
];
