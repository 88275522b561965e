import { continuousLti } from '../../layers/continuous-lti.ts';
import type { Family, Run, Subject } from '../case.ts';
import { lastState, onlySection } from '../ways/state.ts';
import { table } from '../ways/table.ts';
import { layerCase } from './layer.ts';

/** A dense system by scipy's `expm`, a step for every frame: A, B, C, the steps `dt`, and the state behind the last. */
export const irregularFamily: Family = {
  name: 'irregular',
  matches: ({ source, inputs }) => source === 'scipy.linalg.expm' && inputs.includes('dt'),
  open(golden, settings) {
    const [A, B, C] = ['A', 'B', 'C'].map((name) => golden.tensor(name));
    const [n, inputs, outputs] = [A!.shape[0]!, B!.shape[1]!, C!.shape[0]!];
    const run: Run = {
      model: continuousLti({
        n,
        inputs,
        outputs,
        A: A!.values,
        B: B!.values,
        C: C!.values,
        D: new Float64Array(outputs * inputs),
      }),
      parameters: {},
      inputs: { input: 'input', dt: 'dt' },
      outputs: { output: 'output' },
      irregular: true,
    };
    const subject: Subject = { golden, settings, runs: [run] };
    const state = lastState(subject, run, 'state.last', (sections) =>
      onlySection(sections, 'irregular-state-space:x'),
    );
    return layerCase(subject, {
      given: ['A', 'B', 'C'],
      extras: { 'state.last': { ...table(golden, [state]), tolerance: golden.ways.get('step') ?? 0 } },
    });
  },
};
