import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadSafetensors, saveSafetensors, tensor, type Tensor } from '../../src/checkpoint/index.ts';
import { ArgumentError, FormatError, ParameterError } from '../../src/errors.ts';
import { initialise, s4d } from '../../src/layers/index.ts';
import { loadModel, saveModel } from '../../src/models/index.ts';
import { compile } from '../../src/stream/index.ts';

const config = { d_model: 2, d_state: 4, sample_rate: 8000 };
const model = s4d({ features: 2, states: 4, sampleRate: 8000 });
const weights = initialise(model, 3);
const folder = mkdtempSync(join(tmpdir(), 'statewave-models-'));
const at = (name: string): string => join(folder, `${name}.safetensors`);

/** A checkpoint of the official kind: no more metadata than given. */
function official(
  name: string,
  metadata: Record<string, string>,
  change?: (tensors: Map<string, Tensor>) => void,
): string {
  saveModel(at('source'), 's4d', config, weights);
  const tensors = new Map(loadSafetensors(at('source')).tensors);
  change?.(tensors);
  saveSafetensors(at(name), tensors, metadata);
  return at(name);
}

describe('saveModel and loadModel', () => {
  it('give back the model, its weights and its rate', () => {
    saveModel(at('f64'), 's4d', config, weights, { dtype: 'F64', metadata: { licence: 'MIT' } });
    const loaded = loadModel(at('f64'));
    expect(loaded).toMatchObject({ format: 's4d', config, sampleRate: 8000 });
    expect(loaded.parameters).toEqual(weights);
    expect(loadSafetensors(at('f64')).metadata.get('licence')).toBe('MIT');
    const input = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));
    const run = (parameters: typeof loaded.parameters, of = loaded.model): Float32Array =>
      compile(of, parameters).push(input) as Float32Array;
    expect(run(loaded.parameters)).toEqual(run(weights, model));
  });

  it('round to float32 by default', () => {
    saveModel(at('f32'), 's4d', config, weights);
    const { parameters } = loadModel(at('f32'));
    for (const [name, values] of weights) expect(parameters.get(name)).toEqual(values.map(Math.fround));
  });

  it('load an official checkpoint of a golden file by format and config', () => {
    const golden = loadSafetensors(
      fileURLToPath(new URL('../../fixtures/golden/s4/s4d_bilinear_diag-inv.safetensors', import.meta.url)),
    );
    const tensors = new Map(
      [...golden.tensors]
        .filter(([name]) => name.startsWith('param.'))
        .map(([name, value]) => [name.slice('param.'.length), value]),
    );
    saveSafetensors(at('s4'), tensors, { format: 'pt' });
    const { parameters, sampleRate } = loadModel(at('s4'), {
      format: 's4',
      config: JSON.parse(golden.metadata.get('config')!) as Record<string, unknown>,
    });
    expect([...parameters.keys()].toSorted()).toEqual([...tensors.keys()].toSorted());
    expect(sampleRate).toBeUndefined();
  });

  it('take what the caller says before what the file says', () => {
    const path = official('said', { format: 's4', config: '{"mode": "dplr"}' });
    expect(loadModel(path, { format: 's4d', config: { d_model: 2, d_state: 4 } }).format).toBe('s4d');
  });
});

describe('loadModel refuses', () => {
  it.each([
    [
      'nothing said',
      {},
      {},
      ArgumentError,
      /does not say which architecture it is; give the format \(--format/,
    ],
    ['a framework', { format: 'pt' }, {}, ArgumentError, /\("pt" names a framework\)/],
    ['no config', { format: 's4d' }, {}, ArgumentError, /has no "config" in its metadata/],
    ['a format without its config', {}, { format: 's4d' }, ArgumentError, /has no "config"/],
    ['an unknown format', { format: 's9' }, {}, ArgumentError, /format "s9" is unknown/],
    [
      'a config that is no JSON',
      { format: 's4d', config: '{' },
      {},
      FormatError,
      /the configuration is no JSON/,
    ],
    [
      'a config that is no object',
      { format: 's4d', config: '[4]' },
      {},
      FormatError,
      /configuration is \[4\]; give a JSON/,
    ],
    ['a wrong config', { format: 's4d', config: '{"d_model": 0}' }, {}, ArgumentError, /"d_model" is 0/],
  ])('%s', (name, metadata, options, type, message) => {
    const path = official(name.replaceAll(' ', '-'), metadata as Record<string, string>);
    expect(() => loadModel(path, options)).toThrow(type);
    expect(() => loadModel(path, options)).toThrow(message);
  });

  const complete = { format: 's4d', config: JSON.stringify(config) };

  it.each<[string, (tensors: Map<string, Tensor>) => void, RegExp]>([
    ['a missing tensor', (t) => void t.delete('D'), /"D" \[2\] is missing/],
    ['an extra tensor', (t) => void t.set('E', t.get('D')!), /"E" \[2\] is not expected/],
    [
      'a tensor of another shape',
      (t) => void t.set('D', tensor('F32', [1, 2], Float32Array.of(1, 2))),
      /"D" has shape \[1, 2\], the model expects \[2\]/,
    ],
  ])('%s', (name, change, message) => {
    const path = official(name.replaceAll(' ', '-'), complete, change);
    expect(() => loadModel(path)).toThrow(ParameterError);
    expect(() => loadModel(path)).toThrow(message);
    expect(() => loadModel(path)).toThrow(path);
  });

  it('weights of another size than the configuration says', () => {
    const path = official('size', { ...complete, config: '{"d_model": 3, "d_state": 4}' });
    expect(() => loadModel(path)).toThrow(ParameterError);
  });

  it('a file that is none', () => {
    writeFileSync(at('none'), 'no such thing');
    expect(() => loadModel(at('none'))).toThrow(FormatError);
    expect(() => loadModel(at('absent'))).toThrow(/absent.*cannot be opened/);
  });
});

describe('saveModel refuses', () => {
  it.each<[string, Record<string, unknown>, Map<string, Float64Array>, RegExp]>([
    ['a configuration that could not be loaded', { d_model: 2, d_stat: 4 }, weights, /"d_stat"/],
    ['parameters of another size', { d_model: 3, d_state: 4 }, weights, /has 2 values/],
    ['missing parameters', config, new Map(), /needs parameter .* which is missing/],
    ['extra ones', config, new Map([...weights, ['E', new Float64Array(1)]]), /has no parameter "E"/],
    [
      'NaN',
      config,
      new Map([...weights, ['D', Float64Array.of(1, Number.NaN)]]),
      /"D" of s4d is NaN at index 1/,
    ],
    [
      'what float32 cannot hold',
      config,
      new Map([...weights, ['D', Float64Array.of(1, 1e300)]]),
      /"D".*Infinity/,
    ],
  ])('%s, and leaves nothing behind', (_name, given, parameters, message) => {
    const before = readdirSync(folder);
    expect(() => saveModel(at('refused'), 's4d', given, parameters)).toThrow(message);
    expect(readdirSync(folder)).toEqual(before);
  });
});
