import { describe, expect, it } from 'vitest';
import { runConformance } from '../../src/conformance/index.ts';
import { ArgumentError } from '../../src/errors.ts';
import { initialise } from '../../src/layers/index.ts';
import { formatByName, modelFor } from '../../src/models/index.ts';
import { jamba, type JambaOptions } from '../../src/models/jamba.ts';
import { traceModel } from '../../src/signal/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { verifyStream } from '../contract/stream.ts';
import { goldenFiles } from '../support/golden-files.ts';

const options: JambaOptions = {
  features: 4,
  layers: 3,
  attention: { period: 2, offset: 1, heads: 2, groups: 1, window: 6 },
  mamba: { states: 2, dtRank: 1 },
  feedForward: 5,
};
const model = jamba(options);

verifyStream({ name: 'jamba', model, parameters: initialise(model, 1), frames: 500 });
verifyAdjoint({ name: 'jamba', model, parameters: initialise(model, 2), frames: 9 });

describe('jamba', () => {
  it.each(goldenFiles('hybrid'))('agrees with transformers: $name', async ({ path }) => {
    const { ok, failed, unsupported } = await runConformance({ paths: [path] });
    expect({ ok, failed, unsupported }).toEqual({ ok: 3, failed: 0, unsupported: 0 });
  });

  it('has attention where the period says, and Mamba elsewhere', () => {
    const names = [...traceModel(model).parameters.keys()];
    const of = (part: string): string[] => [
      ...new Set(names.filter((name) => name.includes(part)).map((name) => name[7]!)),
    ];
    expect(of('.self_attn.')).toEqual(['1']);
    expect(of('.mamba.')).toEqual(['0', '2']);
    expect(traceModel(model).parameters.get('layers.1.self_attn.k_proj.weight')!.shape).toEqual([2, 4]);
  });

  const config = {
    hidden_size: 4,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 5,
    attn_layer_period: 2,
    attn_layer_offset: 1,
  };

  it('wants a window, and says why', () => {
    expect(() => modelFor('jamba', config)).toThrow(ArgumentError);
    expect(() => modelFor('jamba', config)).toThrow(/no "sliding_window": .*grows for ever; give the frames/);
    const unbounded = { ...options.attention, window: Infinity };
    expect(() => jamba({ ...options, attention: unbounded })).toThrow(/jamba: window is Infinity/);
  });

  it('refuses experts by name', () => {
    expect(() => modelFor('jamba', { ...config, sliding_window: 8, num_experts: 16 })).toThrow(
      /"num_experts" is 16.*experts are not supported/,
    );
  });

  it('takes a whole language model without its embedding and read-out', () => {
    const { nameMap } = formatByName('jamba');
    expect(nameMap!('model.layers.0.mamba.D')).toBe('layers.0.mamba.D');
    expect(nameMap!('model.embed_tokens.weight')).toBeUndefined();
    expect(nameMap!('lm_head.weight')).toBeUndefined();
  });
});
