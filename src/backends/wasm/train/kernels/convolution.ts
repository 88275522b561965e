import type { TrainPlan, TrainRequest } from '../kernel.ts';
import { planDepthwise } from './depthwise.ts';
import { planTerms, type Term } from './terms.ts';

interface Attributes {
  readonly stride: number;
  readonly dilation: number;
  readonly groups: number;
}

/** A convolution as a sum of products, one for each tap and group; one for all where taps stand side by side. */
export function planConvolution(request: TrainRequest): TrainPlan {
  const { dilation, groups, stride } = request.attributes as Attributes;
  const [outputs, inputs, taps] = request.types[1]!.shape as [number, number, number];
  if (inputs === 1 && outputs === groups && groups > 1) return planDepthwise(request);
  const channels = inputs * groups;
  const rows = outputs / groups;
  const weightAt = (group: number, i: number, o: number, tap: number): number =>
    ((group * rows + o) * inputs + i) * taps + tap;
  const terms: Term[] = [];
  if (groups === 1 && dilation === 1) {
    terms.push({
      from: 0,
      to: 0,
      inputs: taps * inputs,
      outputs,
      weight: (i, o) => weightAt(0, i % inputs, o, Math.floor(i / inputs)),
    });
  } else {
    for (let tap = 0; tap < taps; tap++) {
      for (let group = 0; group < groups; group++) {
        terms.push({
          from: tap * dilation * channels + group * inputs,
          to: group * rows,
          inputs,
          outputs: rows,
          weight: (i, o) => weightAt(group, i, o, tap),
        });
      }
    }
  }
  return planTerms(request, terms, {
    inputStep: stride * channels,
    outputStep: outputs,
    before: request.timing.windows[0]!.left * channels,
    biasWidth: outputs,
  });
}

/** Its transpose: every frame of the past adds to the `stride` frames of a firing. */
export function planTransposed(request: TrainRequest): TrainPlan {
  const { stride, groups } = request.attributes as Attributes;
  const [channels, rows, taps] = request.types[1]!.shape as [number, number, number];
  const past = Math.ceil(taps / stride) - 1;
  const inputs = channels / groups;
  const outputs = rows * groups;
  const terms: Term[] = [];
  for (let back = 0; back <= past; back++) {
    const from = (past - back) * channels;
    const weightAt = (channel: number, o: number, tap: number): number =>
      tap < taps ? (channel * rows + o) * taps + tap : -1;
    if (groups === 1) {
      terms.push({
        from,
        to: 0,
        inputs,
        outputs: stride * outputs,
        weight: (i, o) => weightAt(i, o % outputs, Math.floor(o / outputs) + back * stride),
      });
      continue;
    }
    for (let r = 0; r < stride && r + back * stride < taps; r++) {
      for (let group = 0; group < groups; group++) {
        terms.push({
          from: from + group * inputs,
          to: r * outputs + group * rows,
          inputs,
          outputs: rows,
          weight: (i, o) => weightAt(group * inputs + i, o, r + back * stride),
        });
      }
    }
  }
  return planTerms(request, terms, {
    inputStep: channels,
    outputStep: stride * outputs,
    before: past * channels,
    biasWidth: outputs,
  });
}
