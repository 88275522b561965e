import type { LossKernels } from '../loss-kernels.ts';
import { meanOfItems, pairOf, sumItems } from './signal.ts';

/** Keeps silence from dividing by nothing; that of the loss. */
const FLOOR = 1e-8;

/** Σ (h ∗ (y − t))² / (Σ (h ∗ t)² + floor), h = 1 − α z⁻¹. */
export const esr: LossKernels = (context) => {
  const { plan, network, options } = context;
  const alpha = (options['preEmphasis'] as number | undefined) ?? 0;
  const pair = pairOf('esr', context);
  const { output, wanted, node, count, clock } = pair;
  const { items, lengths } = network;
  const filtered = (name: string): string =>
    alpha === 0
      ? `${name}[this.thread.z][this.thread.y][this.thread.x]`
      : `${name}[this.thread.z][this.thread.y][this.thread.x] - (this.thread.y > 0 ? ${alpha} * ${name}[this.thread.z][Math.max(this.thread.y - 1, 0)][this.thread.x] : 0)`;
  const error = plan.run({
    label: 'esr',
    dims: output.dims,
    inputs: { y: output, t: wanted, lengths },
    body: `if (this.thread.y >= ${count('this.thread.z')}) { return 0; }
return (${filtered('y')}) - (${filtered('t')});`,
  });
  const aim = plan.run({
    label: 'esr',
    dims: output.dims,
    inputs: { t: wanted, lengths },
    body: `if (this.thread.y >= ${count('this.thread.z')}) { return 0; }\nreturn ${filtered('t')};`,
  });
  const square = 'x[this.thread.z][frame][this.thread.x] * x[this.thread.z][frame][this.thread.x]';
  const errors = sumItems(context, pair, 'esr', { x: error }, square);
  const power = sumItems(context, pair, 'esr', { x: aim }, square);
  const ratio = plan.run({
    label: 'esr',
    dims: [1, 1, items],
    inputs: { errors, power },
    body: `return errors[this.thread.z][0][0] / (power[this.thread.z][0][0] + ${FLOOR});`,
  });
  const later =
    alpha === 0
      ? ''
      : `if (this.thread.y + 1 < ${clock.frames}) { e = e - ${alpha} * error[this.thread.z][this.thread.y + 1][this.thread.x]; }\n`;
  const seed = plan.run({
    label: 'esr',
    dims: output.dims,
    inputs: { error, power, lengths },
    body: `if (this.thread.y >= ${count('this.thread.z')}) { return 0; }
let e = error[this.thread.z][this.thread.y][this.thread.x];
${later}return 2 * e / ((power[this.thread.z][0][0] + ${FLOOR}) * ${items});`,
  });
  return { value: meanOfItems(context, 'esr', ratio), seeds: new Map([[node, seed]]) };
};
