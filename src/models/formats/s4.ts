import { ArgumentError, GraphError } from '../../errors.ts';
import type { S4dInit } from '../../init/index.ts';
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

/** Which kernel `mode` stands for. The official default, for a config without the key, is `dplr`. */
const modes = { s4d: 'diagonal', diag: 'diagonal', s4: 'dplr', nplr: 'dplr', dplr: 'dplr' } as const;

/**
 * The keys are those of the official `S4Block` and its kernel: `d_model`, `d_state` (64), `mode`, `disc`, `init`,
 * `channels`, `n_ssm`, `dt_tie`, `dt_transform`, `dt_min`, `dt_max`, and of our own `sample_rate` (Hz).
 * What the official block can do beyond (gates, bottlenecks, other activations) is refused by name.
 */
export const s4Format: ModelFormat = {
  name: 's4',
  description: 'the full S4 block; today with the diagonal kernel (mode s4d)',
  source: 'state-spaces/s4 models/s4/s4.py S4Block',
  build(config) {
    const read = new ConfigReader('s4', config);
    const features = read.integer('d_model', { least: 1 });
    if (read.choice('mode', modes, 'dplr') === 'dplr') {
      throw new GraphError(
        `s4: config "mode" is ${JSON.stringify(config['mode'] ?? 'dplr')}, the diagonal plus low rank kernel, which is ` +
          'not supported yet; use weights of mode "s4d", or say mode "s4d" where the checkpoint is diagonal',
      );
    }
    const states = read.integer('d_state', { least: 2, even: true, otherwise: 64 });
    const channels = read.integer('channels', { least: 1, otherwise: 1 });
    const systems = read.integer('n_ssm', { least: 1, otherwise: features });
    if (features % systems !== 0) {
      throw new ArgumentError(
        `s4: config "n_ssm" is ${systems}; give a number that divides d_model ${features}`,
      );
    }
    const discretization = read.discretization('disc', 'zoh');
    const init = read.choice('init', inits, 'legs');
    const tieDt = read.boolean('dt_tie', true);
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
    read.ignore('l_max', 'rank', 'dropout', 'tie_dropout', 'drop_kernel', 'transposed', 'deterministic');
    read.ignore('lr', 'wd', 'verbose', 'backend');
    read.done();
    const dt = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
    return s4dBlock({
      features,
      states,
      channels,
      systems,
      discretization,
      init,
      dt,
      tieDt,
      dtTransform,
      ...(sampleRate === undefined ? {} : { sampleRate }),
    });
  },
};
