import { retentionDecays } from '../../ops/index.ts';
import type { Family, Run, Subject } from '../case.ts';
import { block } from '../ways/block.ts';
import { chunks } from '../ways/chunks.ts';
import { grad } from '../ways/grad.ts';
import { offline } from '../ways/offline.ts';
import { step } from '../ways/step.ts';
import { table } from '../ways/table.ts';
import { formatRun } from './official-model.ts';

/**
 * torchscale's retention: one input, an output for each form. Beyond what the metadata ask for, the stream's step and
 * chunkings are held to `output.recurrent`, and the decays and angles to the official ones:
 *
 * | tensor | shape | |
 * | --- | --- | --- |
 * | relpos.decay | (heads) | ln γ |
 * | relpos.angle | (K) | each angle twice, for both of a pair |
 */
export const retnetFamily: Family = {
  name: 'retnet',
  matches: ({ source }) => source.startsWith('microsoft/torchscale MultiScaleRetention'),
  open(golden, settings) {
    const subject = (form: string): Subject => {
      const run: Run = formatRun(golden, 'retnet', { ...golden.config, form });
      return { golden, settings, runs: [{ ...run, outputs: { output: `output.${form}` } }] };
    };
    const recurrent = subject('recurrent');
    const tolerance = golden.ways.get('recurrent') ?? 0;
    const { shape } = golden.tensor('relpos.angle');
    const relative = table(golden, [
      {
        tensor: 'relpos.decay',
        values: () => retentionDecays(golden.tensor('relpos.decay').values.length).map(Math.log),
      },
      {
        tensor: 'relpos.angle',
        values: () =>
          Array.from({ length: shape[0] }, (_, i) => 10_000 ** -(Math.floor(i / 2) / (shape[0] / 2 - 1))),
      },
    ]);
    return {
      ways: {
        recurrent: block(recurrent),
        parallel: offline(subject('parallel')),
        chunkwise: block(subject('chunkwise')),
        grad: grad(subject('parallel')),
      },
      extras: {
        step: { ...step(recurrent), tolerance },
        chunks: { ...chunks(recurrent), tolerance: 0 },
        relpos: { ...relative, tolerance },
      },
    };
  },
};
