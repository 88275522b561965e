import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/cli/train/config.ts';
import { UsageError } from '../../src/cli/support/failure.ts';
import { loadModel } from '../../src/models/index.ts';
import { compile } from '../../src/index.ts';
import { noise, outcome, scratch, start, statewave, writeWav } from './support.ts';

const path = scratch();
const wav = { sampleRate: 8000, channels: 1, encoding: 'float32' } as const;

/** y[k] = 0.9 y[k−1] + u[k]/4. */
const smoothed = (u: Float32Array): Float32Array => {
  let y = 0;
  return u.map((x) => (y = 0.9 * y + x / 4));
};

const config = (out: string, change: Record<string, unknown> = {}): Record<string, unknown> => ({
  model: {
    format: 'stack',
    config: {
      inputs: 1,
      outputs: 1,
      features: 4,
      norm: 'none',
      layers: [{ format: 's5', config: { H: 4, P: 2, dt_min: 0.05, dt_max: 0.5, sample_rate: 8000 } }],
      dropout: 0.01,
    },
  },
  data: {
    kind: 'clips',
    files: path('in'),
    outputs: path('out'),
    sampleRate: 8000,
    frames: 256,
    batch: 4,
    seed: 1,
  },
  validation: {
    kind: 'clips',
    files: path('in'),
    outputs: path('out'),
    sampleRate: 8000,
    frames: 256,
    starts: 700,
    batch: 2,
  },
  loss: [
    { kind: 'esr', preEmphasis: 0.5 },
    { kind: 'mse', weight: 0.1 },
  ],
  metrics: ['esr'],
  monitor: 'esr',
  optimizer: { rate: 0.03, stateRate: 0.03, groups: [{ match: '*.D', decay: 0.1 }] },
  schedule: { kind: 'cosine', warmUp: 5 },
  epochs: 8,
  seed: 7,
  workers: 1,
  out,
  title: 'a smoother',
  metadata: { licence: 'CC0-1.0' },
  ...change,
});
/** Writes a configuration and gives its place. */
const written = (name: string, value: unknown): string => {
  const file = path(`${name}.json`);
  writeFileSync(file, JSON.stringify(value));
  return file;
};
const linesOf = (folder: string) =>
  readFileSync(`${folder}/log.jsonl`, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { kind: string; step?: number; epoch: number; validation?: number });

beforeAll(async () => {
  mkdirSync(path('in'));
  mkdirSync(path('out'));
  for (const i of [1, 2, 3, 4]) {
    const u = noise(3000, i);
    await writeWav(`${path('in')}/${i}.wav`, u, wav);
    await writeWav(`${path('out')}/${i}.wav`, smoothed(u), wav);
  }
});

describe('statewave train', () => {
  it('trains on recordings, and writes weights that load and stream, a curve and a log', async () => {
    const out = path('run');
    const { status, stdout, stderr } = await statewave(['train', written('run', config(out)), '--json']);
    expect(stderr).toMatch(
      /^training, \d+ steps on wasm.*1 thread\nepoch 1\/8 {2}loss .* {2}validation .* {2}esr .*\n/,
    );
    expect(status).toBe(0);
    const result = JSON.parse(stdout.toString()) as {
      stopped: string;
      steps: number;
      best: { epoch: number; loss: number };
      weights: string;
    };
    expect(result).toMatchObject({ stopped: 'epochs', weights: `${out}/weights.safetensors` });
    expect(readdirSync(out).sort()).toEqual([
      'curve.svg',
      'log.jsonl',
      'run.safetensors',
      'weights.safetensors',
    ]);

    const lines = linesOf(out);
    const epochs = lines.filter(({ kind }) => kind === 'epoch');
    expect(lines.filter(({ kind }) => kind === 'step').map(({ step }) => step)).toEqual(
      Array.from({ length: result.steps }, (_, i) => i),
    );
    expect(epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(epochs[result.best.epoch - 1]!.validation).toBe(result.best.loss);
    expect(readFileSync(`${out}/curve.svg`, 'utf8')).toContain('a smoother');

    // The file says what it is: nothing else is needed to run it.
    const { model, parameters, sampleRate } = loadModel(`${out}/weights.safetensors`);
    expect(sampleRate).toBe(8000);
    const u = noise(2000, 99);
    const [y, wanted] = [compile(model, parameters).push(u) as Float32Array, smoothed(u)];
    const ratio =
      y.reduce((sum, value, k) => sum + (value - wanted[k]!) ** 2, 0) /
      wanted.reduce((sum, value) => sum + value ** 2, 0);
    expect(ratio).toBeLessThan(0.1);
    await writeWav(path('new.wav'), u, wav);
    const run = await statewave([
      'process',
      path('new.wav'),
      path('filtered.wav'),
      '--model',
      result.weights,
    ]);
    expect(run).toMatchObject({ status: 0 });
    expect((await statewave(['inspect', result.weights])).stdout.toString()).toMatch(/licence +CC0-1.0/);
  });

  it('stopped by Ctrl-C it saves all of it, and --resume ends in the bits of an unbroken run', async () => {
    const file = written('broken', config(path('broken'), { epochs: 40 }));
    const child = start(['train', file]);
    child.stderr!.on('data', (chunk: Buffer) => {
      if (/epoch 1\/40/.test(chunk.toString())) child.kill('SIGINT');
    });
    const broken = await outcome(child);
    expect(broken).toMatchObject({ status: 130, signal: null });
    expect(broken.stdout.toString()).toMatch(
      /^interrupted after \d+ steps .*\nbest: epoch \d+.*\nweights: .*\ncurve: .*\nto go on: --resume/,
    );
    expect(existsSync(`${path('broken')}/weights.safetensors`)).toBe(true);

    const refused = await statewave(['train', file]);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toMatch(
      /run\.safetensors is a run already; --resume goes on with it, --fresh begins anew/,
    );

    // The schedule belongs to the number of epochs, so that is given from the start.
    const [rest, whole] = await Promise.all([
      statewave(['train', file, '--resume', '--json']),
      statewave(['train', file, '--out', path('whole'), '--json']),
    ]);
    expect([rest.status, whole.status]).toEqual([0, 0]);
    expect(rest.stderr).toMatch(/^resuming at step \d+ of/);
    const weights = (name: string): Buffer => readFileSync(`${path(name)}/weights.safetensors`);
    expect(weights('broken').equals(weights('whole'))).toBe(true);
    expect(linesOf(path('broken'))).toEqual(linesOf(path('whole')));
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['an unknown key', { epoch: 3 }, /wrong\.json: "epoch" is not known there, did you mean "epochs"\?/],
    [
      'a key inside',
      { optimizer: { rat: 1 } },
      /wrong\.json: "optimizer\.rat" is not known there, did you mean "rate"\?/,
    ],
    ['a type', { optimizer: { rate: 'fast' } }, /"optimizer\.rate" is "fast"; give a number/],
    ['a loss', { loss: 'mes' }, /"loss\.kind" is "mes"; give one of mse, l1/],
    [
      'a term',
      { loss: [{ kind: 'esr', preEmphasis: 3 }] },
      /wrong\.json: esr: preEmphasis is 3; give a number from/,
    ],
    [
      'a metric',
      { metrics: [{ kind: 'accuracy', at: 'end' }] },
      /"metrics\.0\.at" is "end"; give one of last, mean, frame/,
    ],
    ['a model', { model: { format: 's4dd', config: {} } }, /format "s4dd" is unknown, did you mean "s4d"\?/],
    [
      'a model’s key',
      { model: { format: 's4d', config: { d_model: 0 } } },
      /s4d: config "d_model" is 0; give a whole number/,
    ],
    ['no epochs', { epochs: undefined }, /wrong\.json lacks "epochs"; give how often/],
    ['no epoch', { epochs: 0 }, /"epochs" is 0; give a whole number of at least 1/],
    ['a schedule', { schedule: { kind: 'cosine', floor: 2 } }, /cosine: floor is 2/],
    ['a list', { data: [] }, /"data" is \[\]; give an object/],
    ['a monitor', { monitor: 'accuracy' }, /monitor is "accuracy", which is none of the metrics \(esr\)/],
  ])('refuses %s by name', (_name, change, message) => {
    const read = () => readConfig(written('wrong', config(path('nothing'), change)));
    expect(read).toThrow(UsageError);
    expect(read).toThrow(message);
  });

  it('says so and writes nothing', async () => {
    const { status, stderr } = await statewave([
      'train',
      written('wrong', config(path('nothing'), { epoch: 3 })),
    ]);
    expect(stderr).toMatch(
      /^statewave: .*wrong\.json: "epoch" is not known there.*\nSee statewave train --help\.\n$/,
    );
    expect(status).toBe(2);
    expect(existsSync(path('nothing'))).toBe(false);
  });

  it('fails with what its data say', async () => {
    const missing = { data: { kind: 'clips', files: path('absent'), sampleRate: 8000, batch: 1 } };
    const { status, stderr } = await statewave([
      'train',
      written('missing', config(path('nothing'), missing)),
    ]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/absent/);
    expect(existsSync(path('nothing'))).toBe(false);
    const unread = await statewave(['train', path('no.json')]);
    expect(unread).toMatchObject({ status: 1 });
    expect(unread.stderr).toMatch(/no\.json/);
  });
});
