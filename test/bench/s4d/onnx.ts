import type { Contender } from '../contest.ts';
import { OnnxGraph, type Value } from '../onnx/graph.ts';
import { stateful } from '../onnx/stateful.ts';
import type { OnnxRuntime } from '../peers/onnxruntime.ts';
import { chunked, type S4d } from './model.ts';

/** S4D in onnxruntime, the block as products over chunks of `length` frames with carried state. */
export function s4dChunks(runtime: OnnxRuntime, s4d: S4d, block: number, length: number): Promise<Contender> {
  const { channels: H, states: N } = s4d;
  const { uTk, sO, turnRe, turnIm } = chunked(s4d, length);
  const chunks = block / length;
  const graph = new OnnxGraph();
  const u = graph.transpose(graph.input('u', [block, H]), [1, 0]);
  let s: Value = graph.input('s', [H, 1, 2 * N]);

  const both = graph.add('MatMul', [
    graph.reshape(u, [H, chunks, length]),
    graph.constant(uTk, [H, length, length + 2 * N]),
  ]);
  const [own, driven] = graph.addMany('Split', [both, graph.integers([length, 2 * N])], 2, { axis: 2 });
  const drives =
    chunks === 1
      ? [driven!]
      : graph.addMany('Split', [driven!, graph.integers(Array(chunks).fill(1))], chunks, { axis: 1 });
  const [re, im] = [graph.constant(turnRe, [H, 1, 2 * N]), graph.constant(turnIm, [H, 1, 2 * N])];
  const before: Value[] = [];
  for (const drive of drives) {
    before.push(s);
    const [sRe, sIm] = graph.addMany('Split', [s, graph.integers([N, N])], 2, { axis: 2 });
    const swapped = graph.add('Concat', [sIm!, sRe!], { axis: 2 });
    const turned = graph.add('Add', [graph.add('Mul', [s, re]), graph.add('Mul', [swapped, im])]);
    s = graph.add('Add', [turned, drive]);
  }
  const all = chunks === 1 ? before[0]! : graph.add('Concat', before, { axis: 1 });
  const carried = graph.add('MatMul', [all, graph.constant(sO, [H, 2 * N, length])]);
  const y = graph.reshape(graph.add('Add', [own!, carried]), [H, block]);
  graph.output('y', graph.transpose(y, [1, 0]), [block, H]);
  graph.output('s_next', s, [H, 1, 2 * N]);
  return stateful(runtime, {
    form: `products over chunks of ${length}`,
    graph,
    states: { s: [H, 1, 2 * N] },
    channels: H,
    block,
  });
}

/** S4D in onnxruntime by the Scan operator, a frame at a time inside one call. */
export function s4dScan(runtime: OnnxRuntime, s4d: S4d, block: number): Promise<Contender> {
  const { channels: H, states: N } = s4d;
  const body = new OnnxGraph('body_');
  const [re, im] = [body.input('body_re', [H, N]), body.input('body_im', [H, N])];
  const u = body.reshape(body.input('body_u', [H]), [H, 1]);
  const next = frame(body, s4d, re, im, u);
  body.output('body_re_next', next.re, [H, N]);
  body.output('body_im_next', next.im, [H, N]);
  body.output('body_y', next.y, [H]);

  const graph = new OnnxGraph();
  const inputs = [graph.input('re', [H, N]), graph.input('im', [H, N]), graph.input('u', [block, H])];
  const [reNext, imNext, y] = graph.addMany('Scan', inputs, 3, { num_scan_inputs: 1, body: { graph: body } });
  graph.output('re_next', reNext!, [H, N]);
  graph.output('im_next', imNext!, [H, N]);
  graph.output('y', y!, [block, H]);
  return stateful(runtime, {
    form: 'Scan operator',
    graph,
    states: { re: [H, N], im: [H, N] },
    channels: H,
    block,
  });
}

/** S4D in onnxruntime, one frame a call. */
export function s4dFrame(runtime: OnnxRuntime, s4d: S4d): Promise<Contender> {
  const { channels: H, states: N } = s4d;
  const graph = new OnnxGraph();
  const [re, im] = [graph.input('re', [H, N]), graph.input('im', [H, N])];
  const next = frame(graph, s4d, re, im, graph.reshape(graph.input('u', [1, H]), [H, 1]));
  graph.output('y', graph.reshape(next.y, [1, H]), [1, H]);
  graph.output('re_next', next.re, [H, N]);
  graph.output('im_next', next.im, [H, N]);
  return stateful(runtime, {
    form: 'a frame a call',
    graph,
    states: { re: [H, N], im: [H, N] },
    channels: H,
    block: 1,
  });
}

/** x' = Ā x + u, y = Re Σ c̃ x'. */
function frame(
  graph: OnnxGraph,
  s4d: S4d,
  re: Value,
  im: Value,
  u: Value,
): { re: Value; im: Value; y: Value } {
  const dims = [s4d.channels, s4d.states];
  const mul = (a: Value, values: Float64Array): Value => graph.add('Mul', [a, graph.constant(values, dims)]);
  const nextRe = graph.add('Add', [graph.add('Sub', [mul(re, s4d.aRe), mul(im, s4d.aIm)]), u]);
  const nextIm = graph.add('Add', [mul(im, s4d.aRe), mul(re, s4d.aIm)]);
  const terms = graph.add('Sub', [mul(nextRe, s4d.cRe), mul(nextIm, s4d.cIm)]);
  return { re: nextRe, im: nextIm, y: graph.add('ReduceSum', [terms, graph.integers([1])], { keepdims: 0 }) };
}
