import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadSafetensors, saveSafetensors, type Tensor } from '../../src/checkpoint/index.ts';
import type { Line } from '../../src/conformance/index.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A golden file that the project carries. */
export const carried = (name: string): string => join(root, 'fixtures/golden', `${name}.safetensors`);

export const scratch = (): string => mkdtempSync(join(tmpdir(), 'statewave-conformance-'));

export interface Doctored {
  tensors: Map<string, Tensor>;
  metadata: Map<string, string>;
}

/** A copy of a carried file after something was done to it; gives the path. */
export function doctor(folder: string, name: string, change: (content: Doctored) => void): string {
  const { tensors, metadata } = loadSafetensors(carried(name));
  const content = { tensors: new Map(tensors), metadata: new Map(metadata) };
  change(content);
  const path = join(folder, `${name}.safetensors`);
  mkdirSync(dirname(path), { recursive: true });
  saveSafetensors(path, content.tensors, content.metadata, { allowNonFinite: true });
  return path;
}

/** One value of a tensor moved by a tenth of the peak, or by 0.1 where that is 0. */
export const nudge =
  (tensor: string, at = 0) =>
  ({ tensors }: Doctored): void => {
    const found = tensors.get(tensor)!;
    const data = (found.data as Float64Array).slice();
    const peak = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    data[at] = data[at] + (peak || 1) / 10;
    tensors.set(tensor, { ...found, data });
  };

export const verdicts = (lines: readonly Line[]): Record<string, string> =>
  Object.fromEntries(lines.map(({ way, verdict }) => [way, verdict]));

/** The command as a shell runs it, under the project's own Node. */
export function command(...args: readonly string[]): {
  status: number | null;
  stdout: string;
  stderr: string;
} {
  const node = join(root, 'node_modules/.bin/node');
  const main = join(root, 'src/conformance/main.ts');
  return spawnSync(node, [main, ...args], { cwd: root, encoding: 'utf8' });
}
