import { lengthText, type Tensor } from '../../../backends/gpu/training/index.ts';
import { sizeOf } from '../../../signal/index.ts';
import { ArgumentError } from '../../../errors.ts';
import type { LossKernels } from '../loss-kernels.ts';
import { meanOfItems, outputNode } from './signal.ts';

/**
 * −Σ_c q_c log p_c of a softmax over the channels, at the last frame, of the mean over frames, or in every frame.
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | decisions | logits that are compared with labels | items × D × classes |
 * | norm | log Σ exp of them | items × D × 1 |
 */
export const crossEntropy: LossKernels = (context) => {
  const { plan, network, options, targetSize, target } = context;
  const kind = 'cross-entropy';
  const at = (options['at'] as string | undefined) ?? 'last';
  const smoothing = (options['smoothing'] as number | undefined) ?? 0;
  const name = (options['target'] as string | undefined) ?? 'labels';
  const node = outputNode(kind, (options['output'] as string | undefined) ?? 'output', context);
  if (targetSize(name) === undefined) {
    throw new ArgumentError(`the loss ${kind} needs the target "${name}"; let the data bring it`);
  }
  const { items, lengths } = network;
  const logits = network.tensor(node);
  const classes = sizeOf(node.shape);
  const clock = network.clock(node);
  const labels = target(name, 1);
  const frames = at === 'frame' ? clock.frames : 1;
  const counted = lengthText('lengths', clock, items, 'this.thread.z');

  let decisions: Tensor = logits;
  if (at === 'last') {
    decisions = plan.run({
      label: kind,
      dims: [classes, 1, items],
      inputs: { y: logits, lengths },
      body: `return y[this.thread.z][${counted} - 1][this.thread.x];`,
    });
  } else if (at === 'mean') {
    decisions = plan.run({
      label: kind,
      dims: [classes, 1, items],
      inputs: { y: logits, lengths },
      body: `const count = ${counted};
let sum = 0;
for (let k = 0; k < ${clock.frames}; k++) { if (k < count) { sum += y[this.thread.z][k][this.thread.x]; } }
return sum / count;`,
    });
  }
  const norm = plan.run({
    label: kind,
    dims: [1, frames, items],
    inputs: { d: decisions },
    body: `let most = d[this.thread.z][this.thread.y][0];
for (let c = 1; c < ${classes}; c++) { most = Math.max(most, d[this.thread.z][this.thread.y][c]); }
let sum = 0;
for (let c = 0; c < ${classes}; c++) { sum += Math.exp(d[this.thread.z][this.thread.y][c] - most); }
return most + Math.log(sum);`,
  });
  // Labels of −1 and frames behind the end don't count.
  const valid = at === 'frame' ? `k < ${counted} && label > 0 - 0.5` : 'label > 0 - 0.5';
  const counts = plan.run({
    label: kind,
    dims: [1, 1, items],
    inputs: { labels, lengths },
    body: `let count = 0;
for (let k = 0; k < ${frames}; k++) {
  const label = labels[this.thread.z][k][0];
  if (${valid}) { count += 1; }
}
return Math.max(count, 1) + 0 * lengths[0];`,
  });
  const share = smoothing / classes;
  const q = `(c > label - 0.5 && c < label + 0.5 ? ${1 - smoothing + share} : ${share})`;
  const own = plan.run({
    label: kind,
    dims: [1, frames, items],
    inputs: { d: decisions, labels, norm, counts, lengths },
    body: `const k = this.thread.y;
const label = labels[this.thread.z][this.thread.y][0];
let sum = 0;
if (${valid}) {
  const base = norm[this.thread.z][this.thread.y][0];
  for (let c = 0; c < ${classes}; c++) { sum = sum - ${q} * (d[this.thread.z][this.thread.y][c] - base); }
}
return sum / counts[this.thread.z][0][0] + 0 * lengths[0];`,
  });
  const perItem =
    frames === 1
      ? own
      : plan.run({
          label: kind,
          dims: [1, 1, items],
          inputs: { own },
          body: `let sum = 0;\nfor (let k = 0; k < ${frames}; k++) { sum += own[this.thread.z][k][0]; }\nreturn sum;`,
        });
  const slope = plan.run({
    label: kind,
    dims: [classes, frames, items],
    inputs: { d: decisions, labels, norm, counts, lengths },
    body: `const k = this.thread.y;
const c = this.thread.x;
const label = labels[this.thread.z][this.thread.y][0];
if (${valid}) {
  const p = Math.exp(d[this.thread.z][this.thread.y][this.thread.x] - norm[this.thread.z][this.thread.y][0]);
  return (p - ${q}) / (counts[this.thread.z][0][0] * ${items});
}
return 0 * lengths[0];`,
  });
  let seed = slope;
  if (at === 'last' && clock.frames > 1) {
    seed = plan.run({
      label: kind,
      dims: logits.dims,
      inputs: { slope, lengths },
      body: `const end = ${counted} - 1;
if (this.thread.y > end - 0.5 && this.thread.y < end + 0.5) { return slope[this.thread.z][0][this.thread.x]; }
return 0;`,
    });
  } else if (at === 'mean') {
    seed = plan.run({
      label: kind,
      dims: logits.dims,
      inputs: { slope, lengths },
      body: `const count = ${counted};
if (this.thread.y < count) { return slope[this.thread.z][0][this.thread.x] / count; }
return 0;`,
    });
  }
  return { value: meanOfItems(context, kind, perItem), seeds: new Map([[node, seed]]) };
};
