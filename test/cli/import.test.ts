import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadSafetensors, saveSafetensors, tensor } from '../../src/checkpoint/index.ts';
import { decodeWav } from '../../src/audio/index.ts';
import { compile, initialise, s4d } from '../../src/index.ts';
import { attenuate, cleanUMamba, loadModel, modelFor, onRecordings } from '../../src/models/index.ts';
import type { ImportReport } from '../../src/cli/import/import.ts';
import { traceModel, type Model } from '../../src/signal/index.ts';
import {
  bytesOf,
  checkpointOf,
  dictOf,
  floats,
  global,
  storage,
  tensorOp,
  unicode,
} from '../checkpoint/pytorch-support.ts';
import { smallAttenuate, smallAttenuateConfig, smallCleanUMamba } from '../models/small-denoisers.ts';
import { missingShared, shared } from '../support/shared.ts';
import { noise, scratch, statewave, writeWav } from './support.ts';

const path = scratch();

/** What `torch.save({...})` of a training run writes: the weights under a key, beside plain data. */
function torchCheckpoint(model: Model, parameters: ReadonlyMap<string, Float64Array>): Uint8Array {
  const storages: Record<string, Uint8Array> = {};
  const members: Record<string, Uint8Array> = {};
  let key = 0;
  for (const [name, { shape }] of traceModel(model).parameters) {
    const values = parameters.get(name)!;
    storages[`${key}`] = floats(...values);
    members[name] = tensorOp(storage(values.length, `${key++}`), shape);
  }
  const weights = dictOf(members);
  // The inner dictionary without the pickle's own first and last bytes.
  return checkpointOf(
    dictOf({ note: unicode('by hand'), model_state_dict: weights.subarray(2, -1) }),
    storages,
  );
}

/** Each value as it comes back from 32 bits. */
const rounded = (parameters: ReadonlyMap<string, Float64Array>): Map<string, Float64Array> =>
  new Map([...parameters].map(([name, values]) => [name, values.map(Math.fround)]));

describe('statewave import', () => {
  const model = attenuate(smallAttenuate);
  const parameters = initialise(model, 1);

  it('makes a PyTorch checkpoint one that process, denoise and inspect need no flags for', async () => {
    writeFileSync(path('weights.pt'), torchCheckpoint(model, parameters));
    const done = await statewave([
      'import',
      path('weights.pt'),
      path('small.safetensors'),
      '--format',
      'attenuate',
      '--config',
      JSON.stringify(smallAttenuateConfig),
      '--json',
    ]);
    expect({ status: done.status, stderr: done.stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(done.stdout.toString()) as ImportReport).toMatchObject({
      format: 'attenuate',
      config: smallAttenuateConfig,
      sampleRate: 16_000,
      tensors: parameters.size,
      dtype: 'F32',
    });
    const loaded = loadModel(path('small.safetensors'));
    expect(loaded.parameters).toEqual(rounded(parameters));
    expect(loadSafetensors(path('small.safetensors')).metadata.get('note')).toBe('by hand');

    const samples = noise(1000, 2);
    await writeWav(path('in.wav'), samples, { sampleRate: 16_000, channels: 1, encoding: 'pcm16' });
    const runs = await Promise.all([
      statewave(['process', path('in.wav'), path('p.wav'), '--model', path('small.safetensors'), '--float']),
      statewave(['denoise', path('in.wav'), path('d.wav'), '--model', path('small.safetensors'), '--float']),
      statewave(['inspect', path('small.safetensors'), '--json']),
      statewave(['inspect', path('weights.pt'), '--json']),
    ]);
    for (const { status, stderr } of runs) expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const stream = compile(model, rounded(parameters));
    const wanted = Float32Array.from([...stream.push(samples), ...stream.flush()].slice(0, 1000));
    for (const name of ['p.wav', 'd.wav'])
      expect(decodeWav(readFileSync(path(name))).samples).toEqual(wanted);
    const [ours, theirs] = runs.slice(2).map(({ stdout }) => JSON.parse(stdout.toString()) as object);
    expect(ours).toMatchObject({ kind: 'safetensors', format: 'attenuate', config: smallAttenuateConfig });
    expect(theirs).toMatchObject({ kind: 'pytorch', format: null, metadata: { note: 'by hand' } });
  });

  it('takes the place that --root names, and sizes off the weights', async () => {
    const network = cleanUMamba(smallCleanUMamba('mamba'));
    const weights = initialise(network, 3);
    writeFileSync(path('clean.pkl'), torchCheckpoint(network, weights));
    const { status, stderr } = await statewave([
      'import',
      path('clean.pkl'),
      path('clean.safetensors'),
      '--format',
      'cleanumamba',
      '--root',
      'model_state_dict',
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const loaded = loadModel(path('clean.safetensors'));
    expect(loaded.parameters).toEqual(rounded(weights));
    // The level that raw recordings need goes with it.
    expect(compile(onRecordings(loaded), loaded.parameters).latency).toBe(compile(network, weights).latency);
  });

  it('rounds to 16 bits where it is asked to, and refuses what they cannot hold', async () => {
    const config = { d_model: 2, d_state: 4, sample_rate: 8000 };
    const weights = initialise(s4d({ features: 2, states: 4, sampleRate: 8000 }), 5);
    const save = (name: string, D: number): void => {
      const tensors = [...traceModel(modelFor('s4d', config)).parameters].map(([key, { shape }]) => {
        const values = key === 'D' ? Float64Array.of(D, 1) : weights.get(key)!;
        return [key, tensor('F64', shape, values)] as const;
      });
      saveSafetensors(path(name), new Map(tensors), { licence: 'MIT' });
    };
    save('plain.safetensors', 0.1);
    save('large.safetensors', 1e6);
    const run = (name: string): ReturnType<typeof statewave> =>
      statewave(
        `import ${path(name)} ${path('half.safetensors')} --format s4d --dtype F16 --config`
          .split(' ')
          .concat(JSON.stringify(config)),
      );
    const fine = await run('plain.safetensors');
    expect({ status: fine.status, stderr: fine.stderr }).toEqual({ status: 0, stderr: '' });
    const { tensors, metadata } = loadSafetensors(path('half.safetensors'));
    expect(new Set([...tensors.values()].map(({ dtype }) => dtype))).toEqual(new Set(['F16']));
    expect(metadata.get('licence')).toBe('MIT');
    // 0.1 to 11 bits.
    expect(loadModel(path('half.safetensors')).parameters.get('D')![0]).toBe(0.0999755859375);
    const before = readFileSync(path('half.safetensors'));
    const over = await run('large.safetensors');
    expect(over.status).toBe(1);
    expect(over.stderr).toMatch(/tensor "D" is 1000000, beyond the 65504 of F16; write it as F32/);
    expect(readFileSync(path('half.safetensors')).equals(before)).toBe(true);
  });

  it('reads a capture of Neural Amp Modeler and a model of RTNeural', async () => {
    const source = noise(200, 7);
    const nam = {
      version: '0.5.4',
      architecture: 'LSTM',
      config: { input_size: 1, hidden_size: 2, num_layers: 1 },
      // 4H (inputs + H) + 4H biases + H + H of the state + H of the head, and its bias.
      weights: [...source.subarray(0, 4 * 2 * 3 + 8 + 2 + 2 + 2 + 1)],
      sample_rate: 48_000,
      metadata: { name: 'by hand' },
    };
    const rtneural = {
      in_shape: [null, null, 1],
      layers: [
        { type: 'dense', activation: 'tanh', shape: [null, null, 2], weights: [[[0.5, -1]], [0.1, 0.2]] },
        { type: 'dense', activation: '', shape: [null, null, 1], weights: [[[2], [0.25]], [0.3]] },
      ],
    };
    // The name does not matter.
    writeFileSync(path('capture.txt'), JSON.stringify(nam, null, 1));
    writeFileSync(path('amp.json'), JSON.stringify(rtneural));
    for (const [name, format] of [
      ['capture.txt', 'nam'],
      ['amp.json', 'rtneural'],
    ] as const) {
      const { status, stderr } = await statewave(['import', path(name), path(`${format}.safetensors`)]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(loadModel(path(`${format}.safetensors`)).format).toBe(format);
    }
    const dense = loadModel(path('rtneural.safetensors'));
    const [y] = compile(dense.model, dense.parameters).push(Float32Array.of(0.7));
    expect(y).toBeCloseTo(2 * Math.tanh(0.5 * 0.7 + 0.1) + 0.25 * Math.tanh(-0.7 + 0.2) + 0.3, 6);
    const [of, found] = await Promise.all(
      ['capture.txt', 'amp.json'].map(async (name) =>
        JSON.parse((await statewave(['inspect', path(name), '--json'])).stdout.toString()),
      ),
    );
    expect(of).toMatchObject({ kind: 'nam', architecture: 'LSTM', sampleRate: 48_000, parameters: 39 });
    expect(found).toMatchObject({ kind: 'rtneural', features: 1, parameters: 7 });
    expect((await statewave(['inspect', path('amp.json')])).stdout.toString()).toMatch(
      /0 {2}dense.*\n.*1 {2}act/,
    );
  });
});

describe('statewave import refuses', () => {
  const run = (name: string, ...more: string[]): ReturnType<typeof statewave> =>
    statewave(['import', path(name), path('never.safetensors'), ...more]);

  it.each<[string, Uint8Array, string[], RegExp]>([
    [
      'weights of another architecture, naming the tensors',
      checkpointOf(dictOf({ w: tensorOp(storage(2), [2]) }), { 0: floats(1, 2) }),
      ['--format', 's4d', '--config', '{"d_model": 1, "d_state": 4}'],
      /refused: .*"kernel.log_dt" \[1\] is missing.*"D" \[1\] is missing, is it "w" \[2\]\?/,
    ],
    [
      'weights of nobody knows what',
      checkpointOf(dictOf({ w: tensorOp(storage(2), [2]) }), { 0: floats(1, 2) }),
      [],
      /refused does not say which architecture it is; give the format \(--format/,
    ],
    [
      'an architecture without a key of its configuration',
      checkpointOf(dictOf({ w: tensorOp(storage(2), [2]) }), { 0: floats(1, 2) }),
      ['--format', 's4d'],
      /s4d: config lacks "d_model".*--config/,
    ],
    [
      'a pickle that would run something',
      checkpointOf(bytesOf(0x80, 2, global('os', 'system'), '(', unicode(`touch ${path('run')}`), 'tR.'), {}),
      ['--format', 's4d'],
      /refused: data\.pkl byte 2: "os\.system" is not allowed/,
    ],
    [
      'text',
      new TextEncoder().encode('# Weights are at https://example.org'),
      ['--format', 's4d'],
      /refused/,
    ],
    ['JSON of something else', new TextEncoder().encode('{"weather": [1, 2]}'), [], /refused/],
    [
      'a format for a file that states its own',
      new TextEncoder().encode('{"in_shape": [null, 1], "layers": []}'),
      ['--format', 'rtneural'],
      /--format is given, but the file states its own/,
    ],
  ])('%s, and writes nothing', async (_what, bytes, options, message) => {
    writeFileSync(path('refused'), bytes);
    const { status, stderr } = await run('refused', ...options);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^statewave: .*\n$/);
    expect(existsSync(path('never.safetensors'))).toBe(false);
    expect(existsSync(path('run'))).toBe(false);
  });

  it('a file that is not there, and an unknown type of weights', async () => {
    const absent = await run('absent', '--format', 's4d');
    expect(absent).toMatchObject({ status: 1 });
    expect(absent.stderr).toMatch(/absent: cannot be opened.*check the path/);
    const odd = await run('absent', '--dtype', 'F8');
    expect(odd.status).toBe(2);
  });
});

describe.skipIf(missingShared('models'))('published weights (needs ../shared)', () => {
  it('keep every bit through import', async () => {
    const source = shared('models', 'CleanUMamba-3N-E8_pruned-200K.safetensors');
    const { status, stderr } = await statewave([
      'import',
      source,
      path('200k.safetensors'),
      '--dtype',
      'F16',
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    // They were published in 16 bits.
    expect(loadModel(path('200k.safetensors')).parameters).toEqual(loadModel(source).parameters);
  });
});
