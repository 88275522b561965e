import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Growth } from './allocations-process.ts';
import type { Check, Figure } from './check.ts';

const program = fileURLToPath(new URL('allocations-process.ts', import.meta.url));

/** Growth of the heap over many blocks, as long as nothing has been collected meanwhile. */
export const allocations: Check = {
  name: 'allocations',
  about:
    'Bytes that `Stream.process` allocates on the JavaScript heap of a process of its own over 10⁶ blocks of one frame (10⁵ with --quick).',
  run({ name }) {
    const blocks = name === 'quick' ? 1e5 : 1e6;
    return { figures: ['s4d 64x32', 'mamba 64', 'biquad'].map((subject) => measure(subject, blocks)) };
  },
};

function measure(subject: string, blocks: number): Figure {
  const text = execFileSync(process.execPath, [program, subject, String(blocks)], { encoding: 'utf8' });
  const { bytes, isWhole } = JSON.parse(text) as Growth;
  return {
    name: `allocations ${subject}, ${blocks.toExponential(0)} blocks`,
    value: bytes,
    unit: isWhole ? 'bytes' : 'bytes and a collection in each run',
    target: '0 bytes',
    holds: isWhole && bytes === 0,
  };
}
