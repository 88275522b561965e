import type { Contender } from '../contest.ts';
import { OnnxGraph, type Value } from '../onnx/graph.ts';
import { stateful } from '../onnx/stateful.ts';
import type { OnnxRuntime } from '../peers/onnxruntime.ts';

/**
 * The Mamba mixer in onnxruntime: projections and convolution over the whole block, the recurrence by the Scan operator
 * (its coefficients vary with the signal, so no product carries it).
 *
 * | symbol | name |
 * | --- | --- |
 * | M, E, N, R | d_model, d_inner, d_state, dt_rank |
 */
export function mambaScan(
  runtime: OnnxRuntime,
  parameters: ReadonlyMap<string, Float64Array>,
  block: number,
): Promise<Contender> {
  const value = (name: string): Float64Array => parameters.get(name)!;
  const E = value('D').length;
  const N = value('A_log').length / E;
  const R = value('dt_proj.weight').length / E;
  const M = value('out_proj.weight').length / E;
  const taps = value('conv1d.weight').length / E;
  const graph = new OnnxGraph();
  const transposed = (name: string, rows: number, columns: number): Value => {
    const from = value(name);
    const to = Float64Array.from(from, (_, i) => from[(i % rows) * columns + Math.floor(i / rows)]!);
    return graph.constant(to, [columns, rows]);
  };
  const silu = (x: Value): Value => graph.add('Mul', [x, graph.add('Sigmoid', [x])]);

  const xz = graph.add('MatMul', [graph.input('u', [block, M]), transposed('in_proj.weight', 2 * E, M)]);
  const [raw, z] = graph.addMany('Split', [xz, graph.integers([E, E])], 2, { axis: 1 });
  const past = graph.input('past', [1, E, taps - 1]);
  const window = graph.add('Concat', [past, graph.reshape(graph.transpose(raw!, [1, 0]), [1, E, block])], {
    axis: 2,
  });
  const kernel = graph.constant(value('conv1d.weight'), [E, 1, taps]);
  const filtered = graph.add('Conv', [window, kernel, graph.constant(value('conv1d.bias'), [E])], {
    group: E,
  });
  const x = silu(graph.transpose(graph.reshape(filtered, [E, block]), [1, 0]));

  const projected = graph.add('MatMul', [x, transposed('x_proj.weight', R + 2 * N, E)]);
  const [delta, B, C] = graph.addMany('Split', [projected, graph.integers([R, N, N])], 3, { axis: 1 });
  const steps = graph.add('MatMul', [delta!, transposed('dt_proj.weight', E, R)]);
  const dt = graph.add('Softplus', [graph.add('Add', [steps, graph.constant(value('dt_proj.bias'), [E])])]);

  const body = new OnnxGraph('body_');
  const h = body.input('body_h', [E, N]);
  const step = body.reshape(body.input('body_dt', [E]), [E, 1]);
  const input = body.reshape(body.input('body_x', [E]), [E, 1]);
  const [b, c] = [body.input('body_b', [N]), body.input('body_c', [N])];
  const A = body.constant(
    value('A_log').map((log) => -Math.exp(log)),
    [E, N],
  );
  const decay = body.add('Exp', [body.add('Mul', [step, A])]);
  const driven = body.add('Mul', [body.add('Mul', [step, input]), b]);
  const next = body.add('Add', [body.add('Mul', [decay, h]), driven]);
  body.output('body_h_next', next, [E, N]);
  body.output('body_y', body.reshape(body.add('MatMul', [next, body.reshape(c, [N, 1])]), [E]), [E]);

  const scanned = [graph.input('h', [E, N]), dt, x, B!, C!];
  const [hNext, read] = graph.addMany('Scan', scanned, 2, { num_scan_inputs: 4, body: { graph: body } });
  const skipped = graph.add('Add', [read!, graph.add('Mul', [x, graph.constant(value('D'), [E])])]);
  const gated = graph.add('Mul', [skipped, silu(z!)]);
  graph.output('y', graph.add('MatMul', [gated, transposed('out_proj.weight', M, E)]), [block, M]);
  graph.output('h_next', hNext!, [E, N]);
  const last = [graph.integers([block]), graph.integers([block + taps - 1]), graph.integers([2])];
  graph.output('past_next', graph.add('Slice', [window, ...last]), [1, E, taps - 1]);
  return stateful(runtime, {
    form: 'products a block, Scan operator',
    graph,
    states: { h: [E, N], past: [1, E, taps - 1] },
    channels: M,
    block,
  });
}
