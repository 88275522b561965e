import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadRtneural, readRtneural, type RtneuralOptions } from '../../src/checkpoint/rtneural.ts';
import { FormatError, GraphError, StatewaveError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import { rtneural } from '../../src/models/rtneural.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { peakOf, relativeError, verifyStream } from '../contract/stream.ts';
import { readSafetensors } from '../support/read-safetensors.ts';
import { missingShared, shared } from '../support/shared.ts';

type Json = Record<string, unknown>;
const read = (root: Json, options?: RtneuralOptions) => rtneural(readRtneural(JSON.stringify(root), options));
const run = (root: Json, input: ArrayLike<number>, options?: RtneuralOptions): Float64Array => {
  const { model, parameters } = read(root, options);
  return evaluate(model, parameters, { input: Float64Array.from(input) })['output']!;
};

/** Rows of numbers, of length `columns`. */
const rows = (values: ArrayLike<number>, columns: number): number[][] =>
  Array.from({ length: values.length / columns }, (_, i) =>
    Array.from({ length: columns }, (__, j) => values[i * columns + j]!),
  );
const transposed = (matrix: number[][]): number[][] => matrix[0]!.map((_, j) => matrix.map((row) => row[j]!));
const sequence = (layers: Json[], features = 1): Json => ({ in_shape: [null, null, features], layers });
const layer = (type: string, outputs: number, weights: unknown, more: Json = {}): Json => ({
  type,
  activation: '',
  shape: [null, null, outputs],
  weights,
  ...more,
});

describe.skipIf(missingShared('vectors', 'rtneural'))('RTNeural test models (needs ../shared)', () => {
  const path = (name: string): string => shared('vectors', 'rtneural', name);
  const csv = (name: string): number[][] =>
    readFileSync(path(name), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(',').map(Number));

  it.each(['lstm_torch', 'gru_torch'])('%s, four layers and a dense one', (name) => {
    const { model, parameters } = rtneural(loadRtneural(path(`${name}.json`)));
    const x = csv(`${name}_x_python.csv`).flat();
    const y = csv(`${name}_y_python.csv`).flat();
    const stream = compile(model, parameters);
    const actual = stream.push(Float32Array.from(x));
    expect(actual).toHaveLength(y.length);
    expect(peakOf(actual.map((value, i) => value - y[i]!))).toBeLessThanOrEqual(5e-6);
  });

  it.each([
    ['6_3_4_10_3', { dilation: 10, groups: 3 }],
    ['6_6_1_1_6', { groups: 6 }],
  ])('grouped convolution %s', (name, module) => {
    const file = loadRtneural(path(`conv1d_torch_group_${name}.json`), { modules: { '': module } });
    const { model, parameters } = rtneural(file);
    const x = csv('conv1d_torch_group_x_python.csv');
    const y = transposed(csv(`conv1d_torch_group_y_python_${name}.csv`));
    const { output } = evaluate(model, parameters, { input: Float64Array.from(x.flat()) });
    // torch ran without padding: its first output is our causal one at the end of the first full window.
    const crop = x.length - y.length;
    expect(
      peakOf(output!.subarray(crop * y[0]!.length).map((value, i) => value - y.flat()[i]!)),
    ).toBeLessThan(1e-12);
  });

  it('bad_lstm says 16 units and holds 20', () => {
    expect(() => loadRtneural(path('bad_lstm.json'))).toThrow(FormatError);
    expect(() => loadRtneural(path('bad_lstm.json'))).toThrow(
      /bad_lstm\.json: layer 0 \(lstm\): its shape says 16 units, its weights hold 20 units \(4 gates, 80 columns\); correct the shape/,
    );
  });
});

describe('RTNeural: torch cells in Keras layout', () => {
  const golden = (name: string) =>
    readSafetensors(fileURLToPath(new URL(`../../fixtures/golden/rnn/${name}.safetensors`, import.meta.url)));

  it.each([
    ['lstm', 4, (blocks: number[][]) => blocks],
    ['gru', 3, ([r, z, n]: number[][]) => [z!, r!, n!]],
  ] as const)('%s gives torch outputs', (name, gates, order) => {
    const file = golden(name);
    const H = 8;
    // Keras keeps transposed kernels, and a GRU's z before its r.
    const gatesOf = (values: Float64Array, size: number): number[][] =>
      order(rows(values, values.length / gates)).flatMap((block) => rows(block, size));
    const vector = (key: string): number[] => gatesOf(file.values(`param.${key}`), H).flat();
    const cell = (l: number, inputs: number): Json => {
      const kernel = transposed(gatesOf(file.values(`param.weight_ih_l${l}`), inputs));
      const recurrent = transposed(gatesOf(file.values(`param.weight_hh_l${l}`), H));
      const [ih, hh] = [vector(`bias_ih_l${l}`), vector(`bias_hh_l${l}`)];
      const bias = name === 'gru' ? [ih, hh] : ih.map((value, i) => value + hh[i]!);
      return layer(name, H, [kernel, recurrent, bias], { activation: 'tanh' });
    };
    const input = file.values('input').subarray(0, 150);
    const output = run(sequence([cell(0, 3), cell(1, 8)], 3), input);
    expect(relativeError(output, file.values('output').subarray(0, 400))).toBeLessThan(1e-6);
  });
});

describe('RTNeural: layers', () => {
  const source = random(9);
  const normal = (count: number): number[] => Array.from({ length: count }, () => source.normal());

  it('a convolution lets its last tap see the current frame', () => {
    // (taps × inputs × outputs), dilation 2: y[k] = 3 x[k] + 2 x[k−2] + 1 x[k−4] + 10.
    const root = sequence([
      layer('conv1d', 1, [[[[1]], [[2]], [[3]]], [10]], { kernel_size: [3], dilation: [2] }),
    ]);
    expect([...run(root, [1, 0, 0, 0, 0, 0])]).toEqual([13, 10, 12, 10, 11, 10]);
  });

  it('a grouped convolution is as many small ones', () => {
    const kernel = rows(normal(2 * 2 * 4), 4); // (taps · inputs a group) × outputs
    const taps = [kernel.slice(0, 2), kernel.slice(2)];
    const root = sequence(
      [layer('conv1d', 4, [taps, [0, 0, 0, 0]], { kernel_size: [2], dilation: [1], groups: 2 })],
      4,
    );
    const x = normal(8);
    const y = run(root, x);
    for (let o = 0; o < 4; o++) {
      const group = o < 2 ? 0 : 2;
      const expected = [0, 1].reduce(
        (sum, i) => sum + taps[1]![i]![o]! * x[4 + group + i]! + taps[0]![i]![o]! * x[group + i]!,
        0,
      );
      expect(y[4 + o]).toBeCloseTo(expected, 12);
    }
  });

  it('dense layers, activations, PReLU and batch normalisation', () => {
    const x = [-1.5, 0.5];
    const dense = layer(
      'dense',
      2,
      [
        [
          [1, -2],
          [0.5, 3],
        ],
        [0.25, -0.5],
      ],
      { activation: 'elu' },
    );
    const a = [-1.5 + 0.25 + 0.25, 3 + 1.5 - 0.5];
    const elu = a.map((value) => (value >= 0 ? value : Math.expm1(value)));
    expect(relativeError(run(sequence([dense], 2), x), elu)).toBeLessThan(1e-14);
    const prelu = layer('prelu', 2, [[[0.1, 0.2]]]);
    expect(
      relativeError(
        run(sequence([dense, prelu], 2), x),
        elu.map((v, i) => (v >= 0 ? v : v * [0.1, 0.2][i]!)),
      ),
    ).toBeLessThan(1e-14);
    const norm = layer(
      'batchnorm',
      2,
      [
        [2, 3],
        [0.5, -0.5],
        [0.1, 0.2],
        [4, 9],
      ],
      { epsilon: 0 },
    );
    expect(
      relativeError(run(sequence([norm], 2), x), [((-1.5 - 0.1) / 2) * 2 + 0.5, ((0.5 - 0.2) / 3) * 3 - 0.5]),
    ).toBeLessThan(1e-14);
    const plain = layer(
      'batchnorm',
      2,
      [
        [0.1, 0.2],
        [4, 9],
      ],
      { epsilon: 0 },
    );
    expect(relativeError(run(sequence([plain], 2), x), [-0.8, 0.1])).toBeLessThan(1e-14);
    for (const [name, f] of [
      ['tanh', Math.tanh],
      ['sigmoid', (v: number) => 1 / (1 + Math.exp(-v))],
      ['relu', (v: number) => Math.max(0, v)],
    ] as const) {
      const root = sequence([layer('activation', 2, [], { activation: name })], 2);
      expect(relativeError(run(root, x), x.map(f))).toBeLessThan(1e-15);
    }
  });

  it('a GRU with one bias resets before the product', () => {
    const [kernel, recurrent, bias] = [[normal(6)], rows(normal(12), 6), normal(6)];
    const x = normal(2);
    const y = run(sequence([layer('gru', 2, [kernel, recurrent, bias])]), x);
    const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
    let h = [0, 0];
    for (const u of x) {
      const gate = (block: number, i: number, past: number[]): number =>
        kernel[0]![2 * block + i]! * u +
        bias[2 * block + i]! +
        recurrent[0]![2 * block + i]! * past[0]! +
        recurrent[1]![2 * block + i]! * past[1]!;
      const z = [0, 1].map((i) => sigmoid(gate(0, i, h)));
      const r = [0, 1].map((i) => sigmoid(gate(1, i, h)));
      const gated = h.map((value, i) => r[i]! * value);
      const n = [0, 1].map((i) => Math.tanh(gate(2, i, gated)));
      h = h.map((value, i) => z[i]! * value + (1 - z[i]!) * n[i]!);
    }
    expect(relativeError(y.subarray(2), h)).toBeLessThan(1e-14);
  });

  const everyKind = {
    'conv.weight': rows(normal(8), 2).map((row) => [row]),
    'conv.bias': normal(4),
    'norm.weight': [1, 2, 3, 4],
    'norm.bias': [0, 0, 0, 1],
    'norm.running_mean': normal(4),
    'norm.running_var': [1, 2, 3, 4],
    'norm.num_batches_tracked': 17,
    'slope.weight': [0.25],
    'gru.weight_ih_l0': rows(normal(24), 4),
    'gru.weight_hh_l0': rows(normal(12), 2),
    'head.weight': [normal(2)],
  };
  const modules = { conv: { groups: 2, dilation: 3, activation: 'tanh' as const } };
  const every = read(everyKind, { modules });
  verifyStream({ name: 'a state_dict of every kind', model: every.model, parameters: every.parameters });

  it('a state_dict of every kind, with what it does not say', () => {
    const { model, parameters } = every;
    expect([...parameters.keys()]).toEqual([
      '0.weight',
      '0.bias',
      '2.weight',
      '2.bias',
      '2.running_mean',
      '2.running_var',
      '3.weight',
      '4.weight_ih_l0',
      '4.weight_hh_l0',
      '5.weight',
    ]);
    expect(model.inputs['input']).toEqual([2]);
  });

  it('keeps the sample rate that the file states, and is refused at another', () => {
    const root = {
      ...sequence([layer('lstm', 1, [[normal(4)], [normal(4)], normal(4)])]),
      samplerate: '48000',
    };
    const { model, parameters, sampleRate } = read(root);
    expect(sampleRate).toBe(48_000);
    expect(() => compile(model, parameters, { sampleRate: 44_100 })).toThrow(
      /48000 Hz and can't follow 44100 Hz/,
    );
  });
});

describe('RTNeural: refusals name the layer and the cure', () => {
  const ones = (...shape: number[]): unknown =>
    shape.length === 0 ? 1 : Array.from({ length: shape[0]! }, () => ones(...shape.slice(1)));
  const dense = layer('dense', 2, [ones(1, 2), ones(2)]);
  const conv = { kernel_size: [2], dilation: [1] };
  const cases: [string, Json, RegExp][] = [
    ['no layers', { in_shape: [null, 1], layers: [] }, /the model: layers is a list of 0/],
    ['no input shape', { layers: [dense] }, /in_shape is undefined/],
    ['a picture', { in_shape: [null, null, 4, 2], layers: [dense] }, /in_shape has 4 axes/],
    ['a layer that is none', sequence(['dense' as never]), /layer 0: it is "dense"/],
    [
      'an unknown type',
      sequence([dense, layer('conv2d', 2, [])]),
      /layer 1 \(conv2d\): this type is not supported; build the model of dense/,
    ],
    [
      'a dense kernel of another size',
      sequence([layer('dense', 3, [ones(1, 2), ones(3)])]),
      /layer 0 \(dense\): its shape says 3 units, its weights hold 2/,
    ],
    [
      'a chain that breaks',
      sequence([dense, layer('dense', 1, [ones(3, 1), ones(1)])]),
      /layer 1 \(dense\): the kernel is a list of 3, but the kernel has to be \[2, 1\]/,
    ],
    [
      'a ragged list',
      sequence([layer('dense', 2, [[[1, 2]], [1]])]),
      /the bias is a list of 1, but the bias has to be \[2\]/,
    ],
    [
      'a text for a number',
      sequence([layer('dense', 2, [[[1, 'x']], [1, 2]])]),
      /the kernel\[0\]\[1\] is "x"; export/,
    ],
    ['a huge claim', sequence([layer('dense', 1e15, [[[1]], [1]])]), /its shape says 1000000000000000 units/],
    [
      'a size that is none',
      sequence([layer('dense', -1, [])]),
      /shape is \[null,null,-1\]; it has to end in a whole number/,
    ],
    [
      'a bias of an LSTM',
      sequence([layer('lstm', 2, [ones(1, 8), ones(2, 8), ones(4)])]),
      /layer 0 \(lstm\): the bias is a list of 4/,
    ],
    [
      'another activation in a cell',
      sequence([layer('gru', 1, [], { activation: 'relu' })]),
      /layer 0 \(gru\): activation is "relu"; only tanh/,
    ],
    [
      'an unknown activation',
      sequence([{ ...dense, activation: 'swish' }]),
      /activation "swish" is unknown; use one of tanh/,
    ],
    ['an activation without a name', sequence([layer('activation', 1, [])]), /activation is ""/],
    [
      'a width that an activation changes',
      sequence([layer('activation', 2, [], { activation: 'tanh' })]),
      /its shape says 2, but 1 come in/,
    ],
    [
      'a stride',
      sequence([layer('conv1d', 1, [ones(2, 1, 1), ones(1)], { ...conv, strides: [2] })]),
      /strides is a list of 1; only convolutions of stride 1/,
    ],
    [
      'groups that do not divide',
      sequence([layer('conv1d', 2, [ones(2, 1, 2), ones(2)], { ...conv, groups: 2 })]),
      /1 channels to 2 do not divide into 2 groups/,
    ],
    [
      'a batch normalisation without epsilon',
      sequence([layer('batchnorm', 1, [[0], [1]])]),
      /epsilon is undefined/,
    ],
    [
      'a batch normalisation of three',
      sequence([layer('batchnorm', 1, [[0], [1], [1]], { epsilon: 0 })]),
      /it has 3 arrays/,
    ],
    [
      'a skip around the model',
      { ...sequence([dense]), in_skip: 1 },
      /in_skip is 1; leave it out of the file/,
    ],
    ['a rate that is none', { ...sequence([dense]), samplerate: 'fast' }, /samplerate is "fast"; give hertz/],
    ['an empty object', {}, /an RTNeural model is an object with in_shape and layers/],
    [
      'a state_dict of something else',
      { 'a.weight': 3 },
      /module "a": it holds weight 3, which is no Linear/,
    ],
    [
      'a second direction',
      { 'l.weight_ih_l0': ones(4, 1), 'l.weight_hh_l0': ones(4, 1), 'l.weight_ih_l0_reverse': ones(4, 1) },
      /"weight_ih_l0_reverse" is not expected: a second direction/,
    ],
    [
      'a plain RNN',
      { 'l.weight_ih_l0': ones(2, 1), 'l.weight_hh_l0': ones(2, 2) },
      /weight_ih_l0 has 2 rows for 2 units; it has to be 4 a unit/,
    ],
    [
      'half a cell',
      { 'l.weight_ih_l0': ones(8, 1), 'l.bias_hh_l0': ones(8) },
      /module "l": weight_ih_l0 has 8 rows for 0 units/,
    ],
    [
      'modules out of order',
      { 'b.weight': ones(1, 3), 'a.weight': ones(3, 2) },
      /module "a": it takes 2 numbers, but 1 come in; a state_dict must list its modules in the order/,
    ],
  ];
  it.each(cases)('%s', (_name, root, message) => {
    expect(() => read(root)).toThrow(StatewaveError);
    expect(() => read(root)).toThrow(message);
  });

  it('text that is no JSON, files that are too large, softmax, options for nobody', () => {
    expect(() => readRtneural('{"layers": [', { source: 'amp.json' })).toThrow(/amp\.json: it is no JSON/);
    expect(() => readRtneural('[1]')).toThrow(/it is a list of 1/);
    expect(() => read(sequence([{ ...dense, activation: 'softmax' }]))).toThrow(GraphError);
    expect(() => read(sequence([{ ...dense, activation: 'softmax' }]))).toThrow(
      /layer 0 \(dense\): activation softmax is not supported/,
    );
    const modules = { dens: { groups: 2 } };
    expect(() => read({ 'dense.weight': ones(1, 1) }, { modules })).toThrow(
      /module "dens": options are given.*is it "dense"\?/,
    );
    expect(() => read({ weight: ones(2, 1, 1) }, { modules: { '': { groups: 3 } } })).toThrow(
      /2 channels do not divide into 3 groups/,
    );
    expect(() => read({ weight: ones(2, 1, 1) }, { modules: { '': { dilation: 0 } } })).toThrow(
      /dilation is 0/,
    );
  });
});
