import type { LossContext, LossKernels } from '../loss-kernels.ts';
import { meanOfItems, pairOf, sumItems } from './signal.ts';

/** The mean of a function of the error over frames and channels; `value` and `slope` are texts in `e`. */
const meanOf =
  (kind: string, value: string, slope: string): LossKernels =>
  (context: LossContext) => {
    const { plan, network } = context;
    const pair = pairOf(kind, context);
    const { output, wanted, channels, count, node } = pair;
    const e = `y[this.thread.z][frame][this.thread.x] - t[this.thread.z][frame][this.thread.x]`;
    const sums = sumItems(
      context,
      pair,
      kind,
      { y: output, t: wanted },
      `${value.replaceAll(/\be\b/g, `(${e})`)} / (count * ${channels})`,
    );
    const seed = plan.run({
      label: kind,
      dims: output.dims,
      inputs: { y: output, t: wanted, lengths: network.lengths },
      body: `const count = ${count('this.thread.z')};
const frame = this.thread.y;
if (frame >= count) { return 0; }
const e = ${e};
return ${slope} / (count * ${channels * network.items});`,
    });
    return { value: meanOfItems(context, kind, sums), seeds: new Map([[node, seed]]) };
  };

export const mse = meanOf('mse', 'e * e', '2 * e');
export const l1 = meanOf('l1', 'Math.abs(e)', '(e > 0 ? 1 : (e < 0 ? 0 - 1 : 0))');
