/** Denoisers of the published kind, small enough to be run a thousand times. */
import type { AttenuateOptions } from '../../src/models/attenuate.ts';
import type { CleanUMambaSizes } from '../../src/models/clean-u-mamba.ts';

/** Patches of 8 frames. */
export const smallAttenuate: AttenuateOptions = { channels: [4, 8], resampleFactors: [4, 2], modes: 8 };

/** The same as a checkpoint's configuration says it. */
export const smallAttenuateConfig = {
  channels: [4, 8],
  resample_factors: [4, 2],
  num_coeffs: 4,
  repeat: 2,
};

/** Three levels of the given widths, as after pruning, around a bottleneck. */
export const smallCleanUMamba = (kind: 'mamba' | 'lstm'): CleanUMambaSizes => ({
  encoder: [
    { hidden: 4, outputs: 5, taps: 4 },
    { hidden: 6, outputs: 4, taps: 4 },
    { hidden: 3, outputs: 6, taps: 4 },
  ],
  bottleneck:
    kind === 'lstm'
      ? { kind, width: 4, hidden: 4, layers: 2 }
      : { kind, width: 4, blocks: [8, 6].map((inner) => ({ inner, states: 4, dtRank: 1, taps: 4 })) },
  decoder: [
    { gated: 5, outputs: 4, taps: 4 },
    { gated: 3, outputs: 5, taps: 4 },
    { gated: 4, outputs: 1, taps: 4 },
  ],
});
