import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { loadSafetensors } from '../../src/checkpoint/index.ts';
import { openGolden } from '../../src/conformance/golden.ts';
import { formatByName, loadModel, modelOf, saveModel } from '../../src/models/index.ts';

/** Official checkpoints that the project carries, by the format that reads them. */
const CHECKPOINTS: Readonly<Record<string, readonly string[]>> = {
  s4d: ['s4d/minimal'],
  s4: ['s4/s4d_zoh_diag-lin', 's4/s4_bilinear_legs', 's4/s4_bilinear_legt_rank2'],
  s5: ['s5/zoh_conj1_bi0', 's5/zoh_conj1_bi1'],
  lru: ['lru/lru'],
  lstm: ['rnn/lstm'],
  gru: ['rnn/gru'],
  'min-gru': ['rnn/min_gru'],
  'rg-lru': ['rglru/rglru'],
  mamba: ['mamba/model'],
  mamba2: ['mamba2/model'],
  mamba3: ['mamba3/module_0', 'mamba3/module_1'],
  rwkv4: ['rwkv4/model'],
  rwkv6: ['fla_layers/rwkv6'],
  rwkv7: ['fla_layers/rwkv7'],
  retnet: ['retnet/multiscale_retention'],
  'fla-retention': ['fla_layers/retention_fla'],
  'fla-linear-attention': ['fla_layers/linear_attention'],
  gla: ['fla_layers/gla'],
  'delta-net': ['fla_layers/delta_net'],
  'gated-delta-net': ['fla_layers/gated_delta_net'],
  kda: ['fla_layers/kda'],
  hgrn: ['fla_layers/hgrn'],
  attention: ['attention/causal_window8'],
};

const folder = mkdtempSync(join(tmpdir(), 'statewave-round-trip-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('an official checkpoint, loaded and saved', () => {
  it.each(
    Object.entries(CHECKPOINTS).flatMap(([format, files]) => files.map((file) => [file, format] as const)),
  )('%s keeps every weight under its official name (%s)', (file, format) => {
    const golden = openGolden(
      fileURLToPath(new URL(`../../fixtures/golden/${file}.safetensors`, import.meta.url)),
      file,
    );
    const tensors = new Map(
      [...golden.checkpoint.tensors]
        .filter(([name]) => name.startsWith('param.'))
        .map(([name, tensor]) => [name.slice(6), tensor]),
    );
    const { config, parameters } = modelOf(
      { ...golden.checkpoint, tensors },
      { format, config: golden.config },
    );
    const path = join(folder, `${file.replaceAll('/', '-')}.safetensors`);
    saveModel(path, format, config, parameters, { dtype: 'F64' });

    const { nameMap = (name: string) => name } = formatByName(format);
    const official = [...tensors.keys()].map((name) => nameMap(name)).filter((name) => name !== undefined);
    const saved = loadSafetensors(path);
    expect([...saved.tensors.keys()].sort()).toEqual(official.sort());

    const again = loadModel(path);
    expect([...again.parameters.keys()]).toEqual([...parameters.keys()]);
    for (const [name, values] of parameters) expect(again.parameters.get(name)).toEqual(values);
    for (const [name, tensor] of tensors) {
      const ours = nameMap(name);
      if (ours !== undefined) expect(saved.tensors.get(ours)!.shape).toEqual(tensor.shape);
    }
  });
});
