import { traceModel } from '../../signal/index.ts';
import { C, type DplrPlan, type DplrScanAttributes } from '../../ops/dplr-scan-plan.ts';
import type { DplrCoefficients } from '../../ops/dplr-discretise.ts';
import { dplrTransition } from '../../ops/dplr-read-out.ts';
import { checkParameters, environmentAt, evaluateConstants } from '../../stream/constants.ts';
import type { Extra, Family, Run, Subject } from '../case.ts';
import { kernel } from '../ways/kernel.ts';
import { lastState, onlySection } from '../ways/state.ts';
import { step } from '../ways/step.ts';
import { table } from '../ways/table.ts';
import { layerCase } from './layer.ts';
import { formatRun } from './official-model.ts';
import { interleave, scans } from './s4.ts';

/**
 * state-spaces/s4 `s4.py` with the diagonal plus low rank kernel. What the official code steps with is dense, over
 * both of each conjugate pair, the conjugates behind:
 *
 * | tensor | shape | |
 * | --- | --- | --- |
 * | kernel | (read-outs × H × L) | of the systems alone |
 * | dA | (H × N × N × 2) | Ā: re, im |
 * | dB | (H × N × 2) | B̄ |
 * | dC | (read-outs × H × N × 2) | C, undone from C̃; compared as C̃ = (I − Āᴸ)ᵀ C, see `damped` |
 * | state.last | (batch × H × N × 2) | x behind the last frame |
 * | output.step | as output | the official code's own `step` |
 */
export const s4DplrFamily: Family = {
  name: 's4 (diagonal plus low rank)',
  matches: ({ source, config }) =>
    source.startsWith('state-spaces/s4 models/s4/s4.py S4Block') && config['mode'] === 's4',
  open(golden, settings) {
    const run = formatRun(golden, 's4');
    const subject: Subject = { golden, settings, runs: [run] };
    const tolerance = golden.ways.get('step') ?? golden.ways.get('block') ?? 0;
    const stepped = { ...subject, runs: [{ ...run, outputs: { output: 'output.step' } }] };
    const against = (tensor: string, values: () => ArrayLike<number>): Extra => ({
      ...table(golden, [{ tensor, values }]),
      tolerance,
    });
    const last = lastState(
      subject,
      run,
      'state.last',
      (sections) => {
        const { states } = coefficients(run);
        return withConjugates(interleave(onlySection(sections, 'scan:x')), states);
      },
      0,
    );
    return layerCase(subject, {
      ways: { kernel: kernel(subject, scans) },
      extras: {
        'output.step': { ...step(stepped), tolerance },
        dA: against('dA', () => coefficients(run).dA),
        dB: against('dB', () => coefficients(run).dB),
        dC: {
          ...table(golden, [
            {
              tensor: 'dC',
              values: () => damped(run, coefficients(run).dC),
              official: (values) => damped(run, values),
            },
          ]),
          tolerance,
        },
        'state.last': { ...table(golden, [last]), tolerance },
      },
    });
  },
};

/** Rows of N/2 (re, im) pairs, each with its conjugates behind it. */
function withConjugates(pairs: Float64Array, states: number): number[] {
  const all: number[] = [];
  for (let at = 0; at < pairs.length; at += 2 * states) {
    const row = [...pairs.subarray(at, at + 2 * states)];
    all.push(...row, ...row.map((value, i) => (i % 2 === 1 ? -value : value)));
  }
  return all;
}

/**
 * C̃ of C (read-outs × H × N × 2). The official code solves for C in float32, which leaves what it says about modes
 * that hardly decay over L frames to rounding (the Fourier measure has one that does not decay at all); as C̃ such
 * parts weigh as much as they matter to the kernel.
 */
function damped(run: Run, C: ArrayLike<number>): number[] {
  const { plan, states, rank } = coefficients(run);
  const length = (run.parameters as ReadonlyMap<string, Float64Array>).get('layer.kernel.l_kernel')![0]!;
  const n = 2 * states;
  const powers = plan.map((channel) => dplrTransition(channel, states, rank, length));
  const result: number[] = [];
  for (let at = 0, h = 0; at < C.length; at += 2 * n, h = (h + 1) % powers.length) {
    const { re, im } = powers[h]!;
    for (let i = 0; i < n; i++) {
      let [sumRe, sumIm] = [C[at + 2 * i]!, C[at + 2 * i + 1]!];
      for (let j = 0; j < n; j++) {
        const [cRe, cIm] = [C[at + 2 * j]!, C[at + 2 * j + 1]!];
        sumRe -= re[j * n + i]! * cRe - im[j * n + i]! * cIm;
        sumIm -= re[j * n + i]! * cIm + im[j * n + i]! * cRe;
      }
      result.push(sumRe, sumIm);
    }
  }
  return result;
}

/** What the scans of a run step with, one scan a read-out; `systems` is dA channel by channel. */
function coefficients(run: Run): {
  states: number;
  rank: number;
  plan: readonly DplrCoefficients[];
  dA: number[];
  dB: number[];
  dC: number[];
} {
  const graph = traceModel(run.model);
  const constants = evaluateConstants(
    graph,
    checkParameters(graph, run.parameters),
    environmentAt(graph, undefined),
  );
  const nodes = scans(graph.nodes).map(({ source, inputs }) => {
    if (source.kind !== 'op') throw new Error('a scan is an op');
    const attributes = source.attributes as DplrScanAttributes;
    const values = inputs.map(({ id }) => constants.get(id));
    const plan = source.op.prepare!({
      attributes,
      types: inputs,
      constants: values,
      precision: 'float64',
    }) as DplrPlan;
    return { attributes, plan, c: values[C]! };
  });
  const { attributes, plan } = nodes[0]!;
  const { states, rank } = attributes;
  return {
    states,
    rank,
    plan: plan.coefficients!,
    dA: plan.coefficients!.flatMap((channel) => {
      const { re, im } = dplrTransition(channel, states, rank);
      return Array.from(re, (value, i) => [value, im[i]!]).flat();
    }),
    dB: plan.coefficients!.flatMap(({ b }) => withConjugates(b, states)),
    dC: nodes.flatMap(({ c }) =>
      withConjugates(
        c.map((value) => value / 2),
        states,
      ),
    ),
  };
}
