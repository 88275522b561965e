import { ArgumentError } from '../../errors.ts';
import type { HippoMeasure, S4dInit } from '../../init/index.ts';
import { s4 } from '../../layers/s4.ts';
import { s4dBlock } from '../../layers/s4-block.ts';
import { ConfigReader } from '../config.ts';
import type { ModelFormat } from '../format.ts';

/** `init` of the official code; with the diagonal kernel `legs` means `diag-legs`: its low-rank part is dropped. */
const inits: Readonly<Record<string, S4dInit>> = {
  'diag-lin': 'lin',
  'diag-inv': 'inv',
  'diag-quad': 'quad',
  'diag-real': 'real',
  'diag-legs': 'legs',
  legs: 'legs',
};

/** `init` with the diagonal plus low rank kernel. */
const measures: Readonly<Record<string, HippoMeasure>> = {
  legs: 'legs',
  legt: 'legt',
  fourier: 'fourier',
  fout: 'fourier',
};

/** Which kernel `mode` stands for. The official default, for a config without the key, is `dplr`. */
const modes = { s4d: 'diagonal', diag: 'diagonal', s4: 'dplr', nplr: 'dplr', dplr: 'dplr' } as const;

/**
 * The keys are those of the official `S4Block` and its kernel: `d_model`, `d_state` (64), `mode`, `disc`, `init`,
 * `rank` (1; of the low-rank kernel), `channels`, `n_ssm`, `dt_tie`, `dt_transform`, `dt_min`, `dt_max`, and of our own
 * `sample_rate` (Hz).
 * What the official block can do beyond (gates, bottlenecks, other activations) is refused by name.
 */
export const s4Format: ModelFormat = {
  name: 's4',
  description:
    'the full S4 block, with the diagonal kernel (mode s4d) or the diagonal plus low rank one (mode s4)',
  source: 'state-spaces/s4 models/s4/s4.py S4Block',
  build(config) {
    const read = new ConfigReader('s4', config);
    const features = read.integer('d_model', { least: 1 });
    const isDiagonal = read.choice('mode', modes, 'dplr') === 'diagonal';
    const states = read.integer('d_state', { least: 2, even: true, otherwise: 64 });
    const channels = read.integer('channels', { least: 1, otherwise: 1 });
    const systems = read.integer('n_ssm', { least: 1, otherwise: features });
    if (features % systems !== 0) {
      throw new ArgumentError(
        `s4: config "n_ssm" is ${systems}; give a number that divides d_model ${features}`,
      );
    }
    const dtTransform = read.choice('dt_transform', { exp: 'exp', softplus: 'softplus' } as const, 'exp');
    const [min, max] = [read.positive('dt_min'), read.positive('dt_max')];
    const sampleRate = read.positive('sample_rate');
    for (const key of ['gate', 'bottleneck', 'gate_act', 'mult_act', 'postact', 'bandlimit'])
      read.only(key, null, 'leave it out');
    read.only('final_act', 'glu', 'the output layer is a GLU');
    read.only('activation', 'gelu', 'the activation is GELU');
    for (const key of ['bidirectional', 'swap_channels', 'is_real', 'dt_fast'])
      read.only(key, false, 'leave it out');
    read.only('real_transform', 'exp', 'A is −exp(A_real)');
    read.only('imag_transform', 'none', 'A_imag is stored as it is');
    read.ignore('l_max', 'dropout', 'tie_dropout', 'drop_kernel', 'transposed', 'deterministic');
    read.ignore('lr', 'wd', 'verbose', 'backend');
    const dt = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
    const common = {
      features,
      states,
      channels,
      systems,
      dt,
      dtTransform,
      ...(sampleRate === undefined ? {} : { sampleRate }),
    };
    if (!isDiagonal) {
      const rank = read.integer('rank', { least: 1, otherwise: 1 });
      const init = read.choice('init', measures, 'legs');
      read.only('dt_tie', true, 'the low-rank kernel has one time step a channel');
      // The official code takes the key and discretises this kernel by the bilinear rule whatever it says.
      read.ignore('disc');
      read.done();
      return s4({ ...common, init, rank });
    }
    const discretization = read.discretization('disc', 'zoh');
    const init = read.choice('init', inits, 'legs');
    const tieDt = read.boolean('dt_tie', true);
    read.ignore('rank');
    read.done();
    return s4dBlock({ ...common, discretization, init, tieDt });
  },
};
