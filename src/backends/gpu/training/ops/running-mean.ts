/**
 * m[k] = m[k−1] + s[k] (x[k] − m[k−1]) with the share s[k] = 1 / min(k + 1 + n₀, N): a recurrence whose coefficients are
 * numbers; N and n₀ are divided by the scale of time, where there is one. Chunks of T frames: what each adds, the means at their starts, every frame from its chunk's start. Backward
 * λ[k] = dm[k] + (1 − s[k+1]) λ[k+1], dx[k] = s[k] λ[k], over chunks in reverse.
 */
import type { BackwardCall, ForwardCall, OpKernels } from '../kernels.ts';
import type { Plan } from '../plan.ts';
import { X, Y, Z, type Tensor } from '../tensor.ts';

interface RunningMeanAttributes {
  readonly memory: number;
  readonly prior: { readonly value: number; readonly frames: number };
}

export const runningMean: OpKernels = {
  forward(call) {
    const { plan, label, attributes, inputs, dims } =
      call as ForwardCall as ForwardCall<RunningMeanAttributes>;
    const x = inputs[0]!;
    const { chunk, chunks, share, time } = cut(attributes, inputs[1], dims[1]!);
    const begin = `${attributes.prior.value}`;
    const step = `const s = ${share('frame')};\nm = m * (1 - s) + x[${Z}][frame][${X}] * s;`;
    const ends = overChunk(plan, label, { x, ...time }, dims, chunk, `${Y} * ${chunk} + i`, step);
    const kept = keptOverChunk(plan, label, time, dims[1]!, chunk, `${X} * ${chunk} + i`, share('frame'));
    const starts = plan.run({
      label,
      dims: [dims[0], chunks, dims[2]!],
      inputs: { ends, kept },
      body: `let m = ${begin};
for (let c = 0; c < ${chunks}; c++) { if (c < ${Y}) { m = m * kept[c] + ends[${Z}][c][${X}]; } }
return m;`,
    });
    return plan.run({
      label,
      dims,
      inputs: { x, starts, ...time },
      body: `const chunk = Math.floor((${Y} + 0.5) / ${chunk});
let m = starts[${Z}][chunk][${X}];
for (let i = 0; i < ${chunk}; i++) {
  const frame = chunk * ${chunk} + i;
  if (frame <= ${Y}) { ${step} }
}
return m;`,
    });
  },
  adjoint(call) {
    const { plan, label, attributes, inputs, dims, dOutput, give } =
      call as BackwardCall as BackwardCall<RunningMeanAttributes>;
    const frames = dims[1]!;
    const { chunk, chunks, share, time } = cut(attributes, inputs[1], frames);
    const step = `const s = ${share('(frame + 1)')};\nm = m * (1 - s) + d[${Z}][frame][${X}];`;
    const last = chunk - 1;
    const ends = overChunk(
      plan,
      label,
      { d: dOutput, ...time },
      dims,
      chunk,
      `${Y} * ${chunk} + ${last} - i`,
      step,
    );
    const kept = keptOverChunk(
      plan,
      label,
      time,
      frames,
      chunk,
      `${X} * ${chunk} + ${last} - i`,
      share('(frame + 1)'),
    );
    const starts = plan.run({
      label,
      dims: [dims[0], chunks, dims[2]!],
      inputs: { ends, kept },
      body: `let m = 0;
for (let i = 0; i < ${chunks}; i++) {
  const c = ${chunks - 1} - i;
  if (c > ${Y}) { m = m * kept[c] + ends[${Z}][c][${X}]; }
}
return m;`,
    });
    give(
      0,
      plan.run({
        label,
        dims,
        inputs: { d: dOutput, starts, ...time },
        body: `const chunk = Math.floor((${Y} + 0.5) / ${chunk});
let m = starts[${Z}][chunk][${X}];
for (let i = 0; i < ${chunk}; i++) {
  const frame = chunk * ${chunk} + ${last} - i;
  if (frame >= ${Y} && frame < ${frames}) { ${step} }
}
return m * ${share(Y)};`,
      }),
    );
  },
};

/**
 * Frames of a chunk, about as many as there are chunks, and the text of a frame's share, which reads the scale of time
 * in `time` where there is one.
 */
function cut(
  { memory, prior }: RunningMeanAttributes,
  scale: Tensor | undefined,
  frames: number,
): {
  chunk: number;
  chunks: number;
  share: (frame: string) => string;
  time: Readonly<Record<string, Tensor>>;
} {
  let chunk = 16;
  while (chunk * chunk < frames) chunk *= 2;
  const here = (count: number): string => (scale ? `${count} / scale[0]` : `${count}`);
  const count = (frame: string): string => `(${frame} + 1 + ${here(prior.frames)})`;
  return {
    chunk,
    chunks: Math.ceil(frames / chunk),
    share: (frame) =>
      memory === Infinity
        ? `1 / ${count(frame)}`
        : `1 / Math.min(${count(frame)}, Math.max(1, ${here(memory)}))`,
    time: scale ? { scale } : {},
  };
}

/** The mean after each chunk, from 0 before it. */
const overChunk = (
  plan: Plan,
  label: string,
  inputs: Readonly<Record<string, Tensor>>,
  dims: ForwardCall['dims'],
  chunk: number,
  frame: string,
  step: string,
): Tensor =>
  plan.run({
    label,
    dims: [dims[0], Math.ceil(dims[1]! / chunk), dims[2]!],
    inputs,
    body: `let m = 0;
for (let i = 0; i < ${chunk}; i++) {
  const frame = ${frame};
  if (frame < ${dims[1]}) { ${step} }
}
return m;`,
  });

/** What is left of a mean after each chunk. */
const keptOverChunk = (
  plan: Plan,
  label: string,
  inputs: Readonly<Record<string, Tensor>>,
  frames: number,
  chunk: number,
  frame: string,
  share: string,
): Tensor =>
  plan.run({
    label,
    dims: [Math.ceil(frames / chunk)],
    inputs,
    body: `let kept = 1;
for (let i = 0; i < ${chunk}; i++) {
  const frame = ${frame};
  if (frame < ${frames}) { kept = kept * (1 - ${share}); }
}
return kept;`,
  });
