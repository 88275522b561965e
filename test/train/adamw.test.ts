import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { formatByName } from '../../src/models/index.ts';
import { traceModel } from '../../src/signal/index.ts';
import { adamw, adamwStep, clippingFactor, type AdamwOptions } from '../../src/train/index.ts';

describe('adamwStep', () => {
  it('is the formula: moments as sums over all slopes, in closed form', () => {
    const slopes = [0.3, -1, 0.2, 0.7, 0];
    const [rate, decay, beta1, beta2, eps] = [0.01, 0.1, 0.9, 0.99, 1e-8];
    const weights = Float64Array.of(2);
    const [m, v] = [new Float64Array(1), new Float64Array(1)];
    let wanted = 2;
    slopes.forEach((slope, step) => {
      adamwStep(
        weights,
        Float64Array.of(4 * slope),
        m,
        v,
        { beta1, beta2, eps },
        { rate: rate / 2, decay },
        { step, rate: 2, scale: 0.25 },
      );
      // m̂ and v̂ are weighted means of all slopes so far.
      const mean = (beta: number, of: (g: number) => number): number => {
        const shares = slopes.slice(0, step + 1).map((_, i) => beta ** (step - i));
        return (
          slopes.slice(0, step + 1).reduce((sum, g, i) => sum + shares[i]! * of(g), 0) /
          shares.reduce((a, b) => a + b)
        );
      };
      wanted -= rate * decay * wanted;
      wanted -= (rate * mean(beta1, (g) => g)) / (Math.sqrt(mean(beta2, (g) => g * g)) + eps);
      expect(weights[0]).toBeCloseTo(wanted, 12);
    });
  });

  it('leaves a frozen parameter and its moments', () => {
    const arrays = [1, 2, 3].map((x) => Float32Array.of(x)) as [Float32Array, Float32Array, Float32Array];
    adamwStep(
      arrays[0],
      Float64Array.of(5),
      arrays[1],
      arrays[2],
      adamw(),
      { rate: 0, decay: 1 },
      { step: 3, rate: 1, scale: 1 },
    );
    expect(arrays.map((x) => x[0])).toEqual([1, 2, 3]);
  });

  it('clips a norm down, never up', () => {
    expect(clippingFactor(10, 2)).toBeCloseTo(0.2, 7);
    expect(clippingFactor(1, 2)).toBe(1);
    expect(clippingFactor(0, 2)).toBe(1);
    expect(clippingFactor(1e9, Infinity)).toBe(1);
  });
});

/** What each parameter of a format's model is: of the state, without decay, frozen, or an ordinary weight. */
function groupsOf(format: string, config: Record<string, unknown>): Record<string, string> {
  const optimizer = adamw({ rate: 0.01, decay: 0.05 });
  const kinds: Record<string, string> = {
    '0.001 0': 'state',
    '0.01 0': 'undecayed',
    '0.01 0.05': 'weight',
    '0 0': 'frozen',
  };
  return Object.fromEntries(
    [...traceModel(formatByName(format).build(config)).parameters.keys()].map((name) => {
      const { rate, decay } = optimizer.settingsOf(name);
      return [name, kinds[`${rate} ${decay}`] ?? `${rate} ${decay}`];
    }),
  );
}

describe('default groups, by the official names', () => {
  it('S4D', () => {
    expect(groupsOf('s4d', { d_model: 2, d_state: 4 })).toEqual({
      'kernel.log_dt': 'state',
      'kernel.log_A_real': 'state',
      'kernel.A_imag': 'state',
      'kernel.C': 'weight',
      D: 'undecayed',
      'output_linear.0.weight': 'weight',
      'output_linear.0.bias': 'undecayed',
    });
  });

  it('S5', () => {
    expect(groupsOf('s5', { H: 2, P: 2 })).toEqual({
      Lambda_re: 'state',
      Lambda_im: 'state',
      B: 'state',
      C: 'weight',
      D: 'undecayed',
      log_step: 'state',
    });
  });

  it('S4, Mamba, LRU', () => {
    expect(groupsOf('s4', { d_model: 2, d_state: 4 })).toMatchObject({
      'layer.kernel.inv_dt': 'state',
      'layer.kernel.A_real': 'state',
      'layer.kernel.A_imag': 'state',
      'layer.kernel.B': 'state',
      'layer.kernel.C': 'weight',
      'layer.D': 'undecayed',
    });
    expect(groupsOf('mamba', { hidden_size: 4, num_hidden_layers: 1, state_size: 2 })).toMatchObject({
      'layers.0.norm.weight': 'undecayed',
      'layers.0.mixer.A_log': 'state',
      'layers.0.mixer.D': 'undecayed',
      'layers.0.mixer.dt_proj.weight': 'weight',
      'layers.0.mixer.dt_proj.bias': 'state',
      'layers.0.mixer.conv1d.bias': 'undecayed',
      'layers.0.mixer.in_proj.weight': 'weight',
      'norm_f.weight': 'undecayed',
    });
    expect(groupsOf('lru', { d_model: 2, d_hidden: 2 })).toMatchObject({
      nu_log: 'state',
      theta_log: 'state',
      B_re: 'state',
      C_re: 'weight',
    });
  });

  it('takes norms, biases and recorded statistics by their names', () => {
    const { settingsOf } = adamw({ rate: 0.01, decay: 0.05 });
    for (const name of [
      'layers.0.norm.weight',
      'norm_f.weight',
      'norms.3.weight',
      'input_layernorm.weight',
      'ln1.weight',
      'a.ln_out.weight',
      'bias_ih_l0',
      'x.bias',
      'q_conv1d.bias',
      'a_gate_bias',
    ])
      expect([name, settingsOf(name)]).toEqual([name, { rate: 0.01, decay: 0 }]);
    for (const name of [
      'in_proj.weight',
      'weight_hh_l0',
      'encoder.weight',
      'in_proj_weight',
      'BCD',
      'embeddings.weight',
      'mlp.A.weight',
    ])
      expect([name, settingsOf(name)]).toEqual([name, { rate: 0.01, decay: 0.05 }]);
    expect(settingsOf('bn.running_var').rate).toBe(0);
  });
});

describe('groups of one’s own', () => {
  it('come first; what they leave open is the optimiser’s', () => {
    const { settingsOf } = adamw({
      rate: 0.1,
      decay: 0.2,
      groups: [
        { match: 'encoder.*', rate: 0 },
        { match: ['*.kernel.log_dt', /\.A_imag$/g], rate: 0.05 },
        { match: '*.bias', decay: 0.3 },
      ],
    });
    expect(settingsOf('encoder.bias')).toEqual({ rate: 0, decay: 0.2 });
    expect(settingsOf('0.kernel.log_dt')).toEqual({ rate: 0.05, decay: 0.2 });
    // A pattern that remembers where it was would miss the second.
    expect(settingsOf('0.kernel.A_imag').rate).toBe(0.05);
    expect(settingsOf('1.kernel.A_imag').rate).toBe(0.05);
    expect(settingsOf('x.bias')).toEqual({ rate: 0.1, decay: 0.3 });
    // The dot of a text is a dot.
    expect(settingsOf('encoderX')).toEqual({ rate: 0.1, decay: 0.2 });
  });

  it.each<[AdamwOptions, RegExp]>([
    [{ rate: -1 }, /rate is -1/],
    [{ beta2: 1 }, /beta2 is 1/],
    [{ eps: 0 }, /eps is 0/],
    [{ clip: 0 }, /clip is 0/],
    [{ groups: [{ match: 'x', decay: NaN }] }, /decay of group 0 is NaN/],
  ])('%o is refused', (options, message) => {
    expect(() => adamw(options)).toThrow(ArgumentError);
    expect(() => adamw(options)).toThrow(message);
  });
});
