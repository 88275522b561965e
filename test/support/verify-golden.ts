import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runConformance } from '../../src/conformance/index.ts';

/**
 * Golden files that the project carries, by folder or by name (`s5`, `rnn/min_gru`), held in every way that they ask for:
 * at least one line, all of them ok.
 */
export function verifyGolden(...names: readonly string[]): void {
  it.each(names)('agrees with the official code: %s', async (name) => {
    const file = name.includes('/') ? `${name}.safetensors` : name;
    const path = fileURLToPath(new URL(`../../fixtures/golden/${file}`, import.meta.url));
    const { lines, ok } = await runConformance({ paths: [path] });
    expect(lines.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
    expect(ok).toBeGreaterThan(0);
  });
}
