import type { DiagonalScanAttributes, ScanPlan } from '../../ops/diagonal-scan.ts';
import { scanPositions } from '../../ops/diagonal-scan.ts';
import { traceModel, type Node } from '../../signal/index.ts';
import { checkParameters, environmentAt, evaluateConstants } from '../../stream/constants.ts';
import type { Extra, Family, Run, Subject } from '../case.ts';
import { precisionOf } from '../open.ts';
import { kernel } from '../ways/kernel.ts';
import { lastState, onlySection } from '../ways/state.ts';
import { step } from '../ways/step.ts';
import { table } from '../ways/table.ts';
import { layerCase } from './layer.ts';
import { formatRun } from './official-model.ts';

/**
 * state-spaces/s4 `s4.py` with the diagonal kernel. Beyond inputs and outputs the files hold what the official
 * code steps with:
 *
 * | tensor | shape | |
 * | --- | --- | --- |
 * | kernel | (read-outs × H × L) | of the systems alone |
 * | dA, dB | (H × N/2 × 2) | Ā, B̄: re, im |
 * | dC | (read-outs × H × N/2 × 2) | C, without the 2 of 2 Re(C x) |
 * | state.last | (batch × H × N/2 × 2) | x behind the last frame |
 * | output.step | as output | the official code's own `step` |
 */
export const s4Family: Family = {
  name: 's4 (diagonal)',
  matches: ({ source, config }) =>
    source.startsWith('state-spaces/s4 models/s4/s4.py S4Block') &&
    (config['mode'] === 's4d' || config['mode'] === 'diag'),
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
      (sections) => interleave(onlySection(sections, 'scan:x')),
      0,
    );
    return layerCase(subject, {
      ways: { kernel: kernel(subject, scans) },
      extras: {
        'output.step': { ...step(stepped), tolerance },
        dA: against('dA', () => coefficients(subject, run).dA),
        dB: against('dB', () => coefficients(subject, run).dB),
        dC: against('dC', () => coefficients(subject, run).dC),
        'state.last': { ...table(golden, [last]), tolerance },
      },
    });
  },
};

/** The scans of a graph, one a read-out. */
export const scans = (nodes: readonly Node[]): Node[] =>
  nodes.filter(
    ({ source }) =>
      source.kind === 'op' && (source.op.name === 'diagonal-scan' || source.op.name === 'dplr-scan'),
  );

/** All real parts, then all imaginary ones → (re, im) pairs. */
export const interleave = (parts: Float64Array): Float64Array =>
  Float64Array.from(parts, (_, i) => parts[(i % 2) * (parts.length / 2) + (i >> 1)]);

/** The coefficients that the scans of a run step with, one scan a read-out. */
function coefficients(
  subject: Subject,
  run: Run,
): { dA: Float64Array; dB: Float64Array; dC: readonly number[] } {
  const graph = traceModel(run.model);
  const constants = evaluateConstants(
    graph,
    checkParameters(graph, run.parameters),
    environmentAt(graph, undefined),
  );
  const nodes = scans(graph.nodes);
  const plans = nodes.map(({ source, inputs }) => {
    if (source.kind !== 'op') throw new Error('a scan is an op');
    return source.op.prepare!({
      attributes: source.attributes,
      types: inputs,
      constants: inputs.map(({ id }) => constants.get(id)),
      precision: precisionOf(subject, run),
    }) as ScanPlan;
  });
  const { aBar, bBar } = plans[0].coefficients!;
  const dC = nodes.flatMap(({ source, inputs }) => {
    const { roles } = (source as { readonly attributes: DiagonalScanAttributes }).attributes;
    const at = scanPositions(roles);
    const [re, im] = [at.c, at.cIm].map((position) => constants.get(inputs[position].id)!);
    return Array.from(re, (value, i) => [value / 2, im[i] / 2]).flat();
  });
  return { dA: aBar, dB: bBar, dC };
}
