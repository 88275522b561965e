import { describe, expect, it } from 'vitest';
import { runConformance } from '../../src/conformance/index.ts';
import { toFloat64 } from '../../src/checkpoint/index.ts';
import { carried, doctor, nudge, scratch, verdicts, type Doctored } from './support.ts';

const golden = [
  'rwkv4/model',
  'linear_attention/rwkv6',
  'linear_attention/dplr_delta_rule_rwkv7',
  'fla_layers/rwkv6',
  'fla_layers/rwkv7',
  'rwkv7/model',
  'tokens/rwkv4_greedy',
];

describe('RWKV against the official code', () => {
  it('is ok in every way, and nothing is left out', async () => {
    const { lines } = await runConformance({ paths: golden.map(carried) });
    expect(lines.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
    expect(lines.map((line) => `${line.case.split('/').at(-1)} ${line.way}`)).toEqual(
      [
        ['model', ['block', 'step', 'chunks', 'state.0', 'state.1', 'state.2', 'state.3', 'state.4']],
        ['rwkv6', ['block', 'step', 'chunks', 'state.last']],
        ['dplr_delta_rule_rwkv7', ['block', 'step', 'chunks', 'state.last']],
        ['rwkv6', ['block', 'step', 'chunks']],
        ['rwkv7', ['block', 'step', 'chunks']],
        ['model', ['block', 'step', 'chunks']],
        ['rwkv4_greedy', ['tokens', 'logits']],
      ].flatMap(([name, ways]) => (ways as string[]).map((way) => `${name as string} ${way}`)),
    );
  });

  // Which lines fail when one value of one tensor is another says what each line compares.
  it.each([
    ['rwkv4/model', 'output', ['block', 'step']],
    ['rwkv4/model', 'state.0', ['state.0']],
    ['rwkv4/model', 'state.1', ['state.1']],
    ['rwkv4/model', 'state.2', ['state.2']],
    ['rwkv4/model', 'state.3', ['state.3']],
    ['rwkv4/model', 'state.4', ['state.4']],
    ['linear_attention/rwkv6', 'u', ['block', 'step']],
    ['linear_attention/rwkv6', 'w', ['block', 'step']],
    ['linear_attention/rwkv6', 'state.last', ['state.last']],
    ['linear_attention/dplr_delta_rule_rwkv7', 'alpha', ['block', 'step']],
    ['linear_attention/dplr_delta_rule_rwkv7', 'state.last', ['state.last']],
    ['fla_layers/rwkv6', 'param.bonus', ['block', 'step']],
    ['fla_layers/rwkv7', 'param.r_k', ['block', 'step']],
    ['rwkv7/model', 'param.model.layers.1.attn.v_lora.lora.2.bias', ['block', 'step']],
    ['tokens/rwkv4_greedy', 'output.logits', ['logits']],
    ['tokens/rwkv4_greedy', 'param.head.weight', ['logits']],
  ])('%s: %s moved is noticed by %j', async (name, tensor, ways) => {
    // Not a first frame: alpha and w act on a state of zeros there.
    const change = (content: Doctored): void => {
      const { shape } = content.tensors.get(tensor)!;
      const middle = Math.floor(shape.reduce((a, b) => a * b, 1) / 2);
      nudge(tensor, tensor === 'alpha' || tensor === 'w' ? middle + 10 * shape[3]! : middle)(content);
    };
    const { lines } = await runConformance({ paths: [doctor(scratch(), name, change)] });
    const failed = Object.entries(verdicts(lines)).filter(([, verdict]) => verdict !== 'ok');
    expect(failed.map(([way]) => way)).toEqual(ways);
  });

  it('one official token that ours does not write counts as one', async () => {
    const change = ({ tensors }: Doctored): void => {
      const found = tensors.get('output.tokens')!;
      const data = (found.data as BigInt64Array).slice();
      data[72] = (data[72]! + 1n) % 97n;
      tensors.set('output.tokens', { ...found, data });
      expect(toFloat64(tensors.get('output.tokens')!)[72]).not.toBe(toFloat64(found)[72]);
    };
    const { lines } = await runConformance({ paths: [doctor(scratch(), 'tokens/rwkv4_greedy', change)] });
    expect(lines[0]).toMatchObject({ verdict: 'FAIL', way: 'tokens', error: 1 });
    expect(lines[0]!.reason).toMatch(/output\.tokens\[0, 72\] is \d+, official \d+/);
    // The last token is read by nobody.
    expect(lines[1]).toMatchObject({ verdict: 'ok', way: 'logits' });
  });

  it('says so where the rows of a file do not fit together', async () => {
    const change = ({ tensors }: Doctored): void => {
      const found = tensors.get('prompt')!;
      tensors.set('prompt', { ...found, shape: [3, 3] });
    };
    const { lines } = await runConformance({ paths: [doctor(scratch(), 'tokens/rwkv4_greedy', change)] });
    expect(lines[0]!.reason).toMatch(/3 prompts, 1 texts and 1 rows of logits/);
  });

  it('reads the same with the weights under the names of RWKV-LM', async () => {
    const renamed = (name: string): string =>
      name
        .replace('rwkv.embeddings', 'emb')
        .replace('rwkv.', '')
        .replace('pre_ln', 'ln0')
        .replace('.attention.', '.att.')
        .replace('.feed_forward.', '.ffn.')
        .replace(/time_mix_([krv])\w+$/, 'time_mix_$1');
    const change = (content: Doctored): void => {
      content.tensors = new Map([...content.tensors].map(([name, tensor]) => [renamed(name), tensor]));
      expect(content.tensors.has('param.blocks.1.att.time_mix_r')).toBe(true);
      expect(content.tensors.has('param.blocks.0.ln0.weight')).toBe(true);
      expect(content.tensors.has('param.emb.weight')).toBe(true);
    };
    const { lines } = await runConformance({ paths: [doctor(scratch(), 'tokens/rwkv4_greedy', change)] });
    expect(verdicts(lines)).toEqual({ tokens: 'ok', logits: 'ok' });
  });
});
