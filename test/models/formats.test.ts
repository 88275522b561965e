import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { formatByName, modelFor, modelFormats } from '../../src/models/index.ts';
import { traceModel } from '../../src/signal/index.ts';

const shapes = (format: string, config: Record<string, unknown>): Record<string, readonly number[]> =>
  Object.fromEntries(
    [...traceModel(modelFor(format, config)).parameters].map(([name, { shape }]) => [name, shape]),
  );

describe('the registry', () => {
  it('finds every format by its name', () => {
    for (const format of modelFormats) expect(formatByName(format.name)).toBe(format);
    expect(modelFormats.map(({ name }) => name)).toEqual([...new Set(modelFormats.map(({ name }) => name))]);
  });

  it('refuses an unknown one with what there is', () => {
    expect(() => modelFor('s4dd', {})).toThrow(ArgumentError);
    expect(() => modelFor('s4dd', {})).toThrow(
      /format "s4dd" is unknown, did you mean "s4d"\?; use one of s4d, s4/,
    );
    expect(() => modelFor('constructor', {})).toThrow(/format "constructor" is unknown/);
  });
});

describe('s4d', () => {
  it('has the official shapes', () => {
    expect(shapes('s4d', { d_model: 3, d_state: 8 })).toEqual({
      D: [3],
      'kernel.C': [3, 4, 2],
      'kernel.log_dt': [3],
      'kernel.log_A_real': [3, 4],
      'kernel.A_imag': [3, 4],
      'output_linear.0.weight': [6, 3, 1],
      'output_linear.0.bias': [6],
    });
    expect(shapes('s4d', { d_model: 1 })['kernel.log_A_real']).toEqual([1, 32]);
  });

  it('takes a discretization, a rate, and what the official constructor takes beside', () => {
    const config = {
      d_model: 1,
      discretization: 'bilinear',
      sample_rate: 16_000,
      dropout: 0.1,
      transposed: true,
    };
    expect(modelFor('s4d', config).sampleRate).toBe(16_000);
    const methodOf = (discretization: string): string[] =>
      traceModel(modelFor('s4d', { d_model: 1, discretization })).nodes.flatMap(({ source }) =>
        source.kind === 'op' && source.op.name === 'diagonal-scan'
          ? [(source.attributes as { method: { name: string } }).method.name]
          : [],
      );
    expect(methodOf('bilinear')).not.toEqual(methodOf('zoh'));
  });

  it.each([
    [{}, /^s4d: config lacks "d_model"; give a whole number of at least 1/],
    [{ d_model: 0 }, /"d_model" is 0; give a whole number of at least 1/],
    [{ d_model: 1.5 }, /"d_model" is 1\.5;/],
    [{ d_model: '4' }, /"d_model" is "4";/],
    [{ d_model: null }, /"d_model" is null;/],
    [{ d_model: 2 ** 60 }, /"d_model" is /],
    [{ d_model: 4, d_state: 7 }, /"d_state" is 7; give an even number/],
    [{ d_model: 4, d_state: 0 }, /"d_state" is 0;/],
    [
      { d_model: 4, discretization: 'tustin' },
      /config "discretization": .*'tustin' is unknown; use one of zoh/,
    ],
    [{ d_model: 4, discretization: 3 }, /"discretization" is 3;/],
    [{ d_model: 4, sample_rate: -1 }, /"sample_rate" is -1; give a number above 0/],
    [{ d_model: 4, dstate: 8 }, /config has "dstate": 8.*did you mean "d_state"\?/],
    [{ d_model: 4, __proto__x: 1 }, /config has "__proto__x"/],
  ])('refuses %j', (config, message) => {
    expect(() => modelFor('s4d', config)).toThrow(ArgumentError);
    expect(() => modelFor('s4d', config)).toThrow(message);
  });
});

describe('s4', () => {
  it('has the official shapes of the diagonal block', () => {
    const config = { mode: 's4d', d_model: 4, d_state: 8, channels: 2, n_ssm: 2, dt_tie: false };
    expect(shapes('s4', config)).toEqual({
      'layer.D': [2, 4],
      'layer.kernel.inv_dt': [4, 4],
      'layer.kernel.A_real': [2, 4],
      'layer.kernel.A_imag': [2, 4],
      'layer.kernel.B': [1, 2, 4, 2],
      'layer.kernel.C': [2, 4, 4, 2],
      'output_linear.0.weight': [8, 8],
      'output_linear.0.bias': [8],
    });
  });

  it.each(['diag-lin', 'diag-inv', 'diag-legs', 'diag-real', 'diag-quad', 'legs'])(
    'takes init %s',
    (init) => {
      expect(modelFor('s4', { mode: 'diag', d_model: 2, d_state: 4, init, l_max: 64 }).name).toBe(
        's4d-block',
      );
    },
  );

  it.each([{ mode: 's4' }, { mode: 'dplr' }, { mode: 'nplr' }, {}])(
    'takes %j as the diagonal plus low rank kernel',
    (mode) => {
      expect(modelFor('s4', { d_model: 4, d_state: 16, ...mode }).name).toBe('s4-block');
      expect(modelFor('s4', { d_model: 4, d_state: 16, init: 'fout', rank: 2, ...mode }).name).toBe(
        's4-block',
      );
    },
  );

  it.each([
    [{ mode: 'ssd' }, /"mode" is "ssd"; give one of s4d, diag, s4/],
    [{ n_ssm: 3 }, /"n_ssm" is 3; give a number that divides d_model 4/],
    [{ init: 'lin' }, /"init" is "lin"; give one of diag-lin/],
    [{ dt_tie: 1 }, /"dt_tie" is 1; give true or false/],
    [{ gate: 2 }, /"gate" is 2; only null can be built/],
    [{ bidirectional: true }, /"bidirectional" is true; only false can be built/],
    [{ activation: 'relu' }, /"activation" is "relu"; only "gelu"/],
    [{ final_act: 'tanh' }, /"final_act" is "tanh"/],
    [{ disc: 'dss' }, /config "disc": .*'dss' is unknown/],
    [{ d_stat: 8 }, /config has "d_stat": 8/],
  ])('refuses %j', (change, message) => {
    const config = { mode: 's4d', d_model: 4, d_state: 8, ...change };
    expect(() => modelFor('s4', config)).toThrow(ArgumentError);
    expect(() => modelFor('s4', config)).toThrow(message);
  });
});
