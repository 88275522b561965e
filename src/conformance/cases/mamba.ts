import { zohEuler } from '../../discretize/index.ts';
import { add, diagonalScan, mul, reshape, silu, softplus } from '../../ops/index.ts';
import type { Model } from '../../signal/index.ts';
import type { Family } from '../case.ts';
import { grad } from '../ways/grad.ts';
import { lastState, onlySection } from '../ways/state.ts';
import { table } from '../ways/table.ts';
import { layerCase } from './layer.ts';
import { formatRun } from './official-model.ts';

/** transformers `MambaModel`, weights in any precision. */
export const mambaFamily: Family = {
  name: 'mamba',
  matches: ({ source }) => source.startsWith('transformers MambaModel'),
  open: (golden, settings) => layerCase({ golden, settings, runs: [formatRun(golden, 'mamba')] }),
};

/** `selective_scan_ref`: softplus(delta + bias), the scan, D u, and the gate. */
export const selectiveScanFamily: Family = {
  name: 'selective-scan',
  matches: ({ source }) => source.startsWith('state-spaces/mamba selective_scan_ref'),
  open(golden, settings) {
    const [channels, states] = golden.tensor('A').shape as [number, number];
    const model: Model = {
      name: 'selective-scan',
      inputs: { u: [channels], delta: [channels], B: [states], C: [states], z: [channels] },
      build(trace, { u, delta, B, C, z }) {
        const h = diagonalScan(u!, {
          a: trace.parameter('A', [channels, states]),
          b: reshape(B!, [1, states]),
          c: reshape(C!, [1, states]),
          dt: softplus(add(delta!, trace.parameter('delta_bias', [channels]))),
          method: zohEuler.diagonal,
        });
        return { output: mul(add(h, mul(u!, trace.parameter('D', [channels]))), silu(z!)) };
      },
    };
    const parameters = new Map(golden.constants.map((name) => [name, golden.tensor(name).values]));
    const inputs = Object.fromEntries(golden.inputs.map((name) => [name, name]));
    const run = { model, parameters, inputs, outputs: { output: 'output' } };
    const subject = { golden, settings, runs: [run] };
    const state = lastState(subject, run, 'state.last', (sections) => onlySection(sections, 'scan:x'), 0);
    // The note says nothing of the loss; it is that of the other Mamba file.
    const loss = { tensor: 'output', weight: (i: number) => Math.cos(0.1 * i) };
    return layerCase(subject, {
      ways: { grad: grad(subject, loss) },
      extras: { 'state.last': { ...table(golden, [state]), tolerance: golden.ways.get('step')! } },
    });
  },
};
