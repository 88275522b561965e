import {
  discretizationByName,
  discretize,
  type Discretization,
  type StateSpace,
} from '../../discretize/index.ts';
import { FormatError } from '../../errors.ts';
import { lti } from '../../layers/lti.ts';
import type { Family, Run, Subject } from '../case.ts';
import type { Golden } from '../golden.ts';
import { lastState, onlySection } from '../ways/state.ts';
import { table } from '../ways/table.ts';
import { layerCase } from './layer.ts';

/** scipy's names of the methods, and ours. */
const methods: Readonly<Record<string, (config: Golden['config']) => Discretization>> = {
  zoh: () => discretizationByName('zoh'),
  foh: () => discretizationByName('foh'),
  impulse: () => discretizationByName('impulse'),
  euler: () => discretizationByName('euler'),
  backward_diff: () => discretizationByName('backward-difference'),
  bilinear: () => discretizationByName('bilinear'),
  gbt: ({ alpha_gbt: alpha }) => discretizationByName(`gbt(${String(alpha)})`),
};

/**
 * scipy `cont2discrete` and `dlsim` in float64: a continuous system A, B, C, D; for each method the tables
 * `<method>.A` … `.D`, what it makes of the input, and the state behind the last frame.
 */
export const discretizeFamily: Family = {
  name: 'discretize',
  matches: ({ source }) => source.startsWith('scipy.signal.cont2discrete'),
  open(golden, settings) {
    const { dt } = golden.config;
    if (!(typeof dt === 'number' && dt > 0))
      throw new FormatError(`${golden.path}: config "dt" is ${String(dt)}; it has to be the step in seconds`);
    const names = [...golden.checkpoint.tensors.keys()]
      .filter((key) => key.endsWith('.A'))
      .map((key) => key.slice(0, -2));
    const tables = names.flatMap((name) => {
      const { system, method } = setup(golden, name);
      return (['A', 'B', 'C', 'D'] as const).map((matrix) => ({
        tensor: `${name}.${matrix}`,
        values: () => discretize(system, dt, method)[matrix],
      }));
    });
    const runs = names.map((name): Run => {
      const { system, method } = setup(golden, name);
      return {
        model: lti(system, { domain: 'continuous', discretization: method }),
        parameters: {},
        inputs: { input: 'input' },
        outputs: { output: `${name}.output` },
        sampleRate: 1 / dt,
      };
    });
    const subject: Subject = { golden, settings, runs };
    const states = names.map((name, i) =>
      lastState(subject, runs[i], `${name}.state.last`, (sections) => onlySection(sections, 'state-space:x')),
    );
    const tolerance = golden.ways.get('block') ?? 0;
    return layerCase(subject, {
      given: ['A', 'B', 'C', 'D'],
      ways: { table: table(golden, tables) },
      extras: { 'state.last': { ...table(golden, states), tolerance } },
    });
  },
};

function setup(golden: Golden, name: string): { system: StateSpace; method: Discretization } {
  const make = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (make === undefined)
    throw new FormatError(
      `${golden.path}: method "${name}" is unknown; known are ${Object.keys(methods).join(', ')}`,
    );
  const [A, B, C, D] = ['A', 'B', 'C', 'D'].map((matrix) => golden.tensor(matrix));
  return {
    method: make(golden.config),
    system: {
      n: A.shape[0],
      inputs: B.shape[1],
      outputs: C.shape[0],
      A: A.values,
      B: B.values,
      C: C.values,
      // The files' note: impulse uses D = 0, since no sample can show a continuous feedthrough.
      D: name === 'impulse' ? new Float64Array(D.values.length) : D.values,
    },
  };
}
