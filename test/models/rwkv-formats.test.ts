import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { formatByName, modelFor } from '../../src/models/index.ts';
import { traceModel } from '../../src/signal/index.ts';

const shapeOf = (format: string, config: Record<string, unknown>, name: string): readonly number[] =>
  traceModel(modelFor(format, config)).parameters.get(name)!.shape;

describe('formats of RWKV', () => {
  it('take the widths of transformers, null for those that follow the first', () => {
    const config = { hidden_size: 8, num_hidden_layers: 2, vocab_size: 11 };
    expect(shapeOf('rwkv4-lm', config, 'rwkv.blocks.1.feed_forward.key.weight')).toEqual([32, 8]);
    expect(shapeOf('rwkv4-lm', config, 'head.weight')).toEqual([11, 8]);
    const other = { ...config, attention_hidden_size: null, intermediate_size: 20, rescale_every: 6 };
    expect(shapeOf('rwkv4', other, 'blocks.1.feed_forward.key.weight')).toEqual([20, 8]);
    expect(shapeOf('rwkv4', other, 'blocks.1.attention.key.weight')).toEqual([8, 8]);
    expect(
      shapeOf('rwkv4', { ...config, attention_hidden_size: 12 }, 'blocks.0.attention.time_decay'),
    ).toEqual([12]);
  });

  it('take the widths of flash-linear-attention, and its defaults', () => {
    expect(shapeOf('rwkv6', { hidden_size: 32 }, 'bonus')).toEqual([4, 4]);
    expect(shapeOf('rwkv6', { hidden_size: 32, expand_k: 1, num_heads: 2 }, 'bonus')).toEqual([2, 16]);
    expect(shapeOf('rwkv6', { hidden_size: 32, expand_v: 2 }, 'o_proj.weight')).toEqual([32, 64]);
    expect(shapeOf('rwkv7', { hidden_size: 128 }, 'r_k')).toEqual([2, 64]);
    expect(shapeOf('rwkv7', { hidden_size: 128, num_heads: 4, head_dim: null }, 'r_k')).toEqual([4, 32]);
    expect(
      shapeOf('rwkv7', { hidden_size: 64, gate_low_rank_dim: 5, value_dim: 128 }, 'g_lora.lora.2.weight'),
    ).toEqual([128, 5]);
  });

  it('take whole language models of flash-linear-attention, whose channel mixing is a multiple of 32', () => {
    const config = { hidden_size: 16, num_hidden_layers: 2, vocab_size: 9 };
    const key = 'model.layers.1.ffn.key';
    expect(shapeOf('rwkv6-lm', { ...config, num_heads: 2 }, `${key}.linear.weight`)).toEqual([64, 16]);
    expect(shapeOf('rwkv6-lm', { ...config, hidden_ratio: 7 }, `${key}.linear.weight`)).toEqual([128, 16]);
    const seven = { ...config, head_dim: 8, num_heads: 32, value_dim: [16, 16], attn: null };
    expect(shapeOf('rwkv7-lm', seven, `${key}.weight`)).toEqual([64, 16]);
    expect(shapeOf('rwkv7-lm', { ...seven, intermediate_size: 20 }, `${key}.weight`)).toEqual([20, 16]);
    expect(shapeOf('rwkv7-lm', { ...seven, value_dim: [8, 8] }, 'model.layers.1.attn.v_proj.weight')).toEqual(
      [8, 16],
    );
  });

  it('leave out of the stack on vectors what stands before and behind it', () => {
    const names = formatByName('rwkv4').nameMap!;
    for (const name of ['rwkv.embeddings.weight', 'embeddings.weight', 'emb.weight', 'head.weight'])
      expect(names(name)).toBeUndefined();
    expect(names('rwkv.ln_out.bias')).toBe('ln_out.bias');
    expect(names('blocks.3.att.time_mix_r')).toBe('blocks.3.attention.time_mix_receptance');
    expect(names('blocks.0.ffn.time_mix_k')).toBe('blocks.0.feed_forward.time_mix_key');
  });

  it.each([
    ['rwkv4', { hidden_size: 8 }, /rwkv4: config lacks "num_hidden_layers"/],
    [
      'rwkv4',
      { hidden_size: 8, num_hidden_layers: 1, attention_hidden_size: 0 },
      /"attention_hidden_size" is 0/,
    ],
    ['rwkv4', { hidden_size: 8, num_hidden_layers: 1, hidden_sise: 3 }, /did you mean "hidden_size"\?/],
    ['rwkv4-lm', { hidden_size: 8, num_hidden_layers: 1 }, /lacks "vocab_size"/],
    [
      'rwkv4-lm',
      { hidden_size: 8, num_hidden_layers: 1, vocab_size: 5, tie_word_embeddings: true },
      /"tie_word_embeddings" is true; only false/,
    ],
    ['rwkv6', { hidden_size: 32, gate_fn: 'relu' }, /"gate_fn" is "relu"; only "swish"/],
    ['rwkv6', { hidden_size: 32, expand_k: 0 }, /"expand_k" is 0; give a number above 0/],
    [
      'rwkv7-lm',
      { hidden_size: 64, num_hidden_layers: 2, vocab_size: 5, value_dim: [64, 32] },
      /"value_dim" has both 64 and 32/,
    ],
    ['rwkv7-lm', { hidden_size: 64, vocab_size: 5 }, /lacks "num_hidden_layers"/],
    [
      'rwkv6-lm',
      { hidden_size: 64, num_hidden_layers: 2, vocab_size: 5, hidden_act: 'relu' },
      /"hidden_act" is "relu"/,
    ],
    ['rwkv7', { hidden_size: 64, layer_idx: 1 }, /"layer_idx" is 1; only 0.*values of the first/],
    ['rwkv7', { hidden_size: 64, head_dim: 1.5 }, /"head_dim" is 1\.5/],
  ])('%s refuses %j', (format, config, message) => {
    expect(() => modelFor(format, config)).toThrow(ArgumentError);
    expect(() => modelFor(format, config)).toThrow(message);
  });
});
