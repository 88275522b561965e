import type { FloatArray } from '../../../signal/index.ts';
import type { Program, Step } from '../program.ts';
import { convolutionSteps, convolves } from './convolution.ts';
import { operandGradient, slicesOf } from './gradients.ts';
import { packConstants, packSignals, type Layout, type Placement } from './layout.ts';
import { contractedOutput, inputGradient, stateOutput } from './read-out.ts';
import { chainStill, stillGradients } from './still-gradients.ts';
import { stillTable, stillTableLength } from './still.ts';
import { tree } from './tree.ts';

const inputsOf = (layout: Layout, ...more: Program['inputs']): Program['inputs'] => [
  { name: 'signals', length: layout.batch * layout.frames * layout.width },
  {
    name: 'constants',
    length: layout.constantsLength + (layout.still ? stillTableLength(layout) : 1),
  },
  ...more,
];

/** `signals` and `constants`. */
export const uploads = (layout: Layout, inputs: readonly FloatArray[]): Float32Array[] => [
  packSignals(layout, inputs),
  packConstants(layout, inputs, layout.still ? stillTable(layout, inputs) : undefined),
];

/** Whether an operand's gradient comes from sums over lanes, chained through f and g on the CPU. */
const chained = ({ still, stillReadOut }: Layout, { role }: Placement): boolean =>
  still && (stillReadOut || (role !== 'c' && role !== 'cIm'));

/** (signals, constants) → output. */
export function forwardProgram(layout: Layout): Program {
  const readOut: Step[] = convolves(layout)
    ? convolutionSteps(layout, 'forward')
    : [layout.contracted ? contractedOutput(layout) : stateOutput(layout)];
  return {
    inputs: inputsOf(layout),
    steps: [...tree(layout, 'forward'), ...readOut],
    results: ['output'],
  };
}

/** (signals, constants, dOutput) → the gradients of the inputs, of still coefficients as partial sums of lanes. */
export function adjointProgram(layout: Layout): Program {
  const { batch, frames, outputWidth, still, placements } = layout;
  const steps = [...tree(layout, 'forward'), ...tree(layout, 'backward')];
  const results: string[] = [];
  const result = (...made: Step[]): void => {
    steps.push(...made);
    results.push(made.at(-1)!.output);
  };
  for (const placement of placements) {
    const { role } = placement;
    if (role === 'u' || role === 'uIm') {
      result(...(convolves(layout) ? convolutionSteps(layout, 'backward') : [inputGradient(layout, role)]));
    } else if (!chained(layout, placement)) {
      result(operandGradient(layout, placement));
    }
  }
  if (still) result(stillGradients(layout));
  return {
    inputs: inputsOf(layout, { name: 'dOutput', length: batch * frames * outputWidth }),
    steps,
    results,
  };
}

/** The gradient of every input from what `adjointProgram` gave. */
export function collectGradients(
  layout: Layout,
  inputs: readonly FloatArray[],
  results: readonly Float32Array[],
): FloatArray[] {
  const gradients: FloatArray[] = [];
  let next = 0;
  for (const placement of layout.placements) {
    const size = placement.rows * placement.columns;
    if (placement.varying) gradients.push(results[next++]!);
    else if (chained(layout, placement)) gradients.push(new Float64Array(size));
    else gradients.push(sumOf(results[next++]!, slicesOf(layout, placement), size));
  }
  if (layout.still) {
    chainStill(layout, inputs, results[next]!, gradients);
  }
  return gradients;
}

/** Partial sums, slice by slice, in float64. */
function sumOf(parts: Float32Array, slices: number, size: number): Float64Array {
  const sum = new Float64Array(size);
  for (let slice = 0; slice < slices; slice++) {
    for (let i = 0; i < size; i++) sum[i]! += parts[slice * size + i]!;
  }
  return sum;
}
