import { wasm } from '../../src/backends/wasm/index.ts';
import { s4d } from '../../src/layers/index.ts';
import { compile } from '../../src/stream/index.ts';
import { reference } from '../../src/backends/reference/index.ts';
import { describe, expect, it } from 'vitest';
import { zoh } from '../../src/discretize/index.ts';
import { scanFeed, scanJob, scanModel, type ScanCase } from '../contract/diagonal-scan-cases.ts';
import { drawParameters } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';

// One channel of N states, a step of time by frame: its states fill the lanes, and their read-outs are added up.
for (const states of [4, 16, 64]) {
  const model = s4d({ features: 1, states });
  verifyStream({
    name: `s4d 1 × ${states}, a dt a frame`,
    model,
    parameters: drawParameters(model, 2),
    options: { irregular: true, backend: wasm({ deterministic: states === 16 }) },
    frames: 300,
  });
}

describe('one channel of many states', () => {
  it.each([
    [8, true, ['dt']],
    [8, false, ['dt', 'b', 'c']],
    [12, true, ['c', 'cIm']],
    [6, true, ['dt']],
  ] as const)('%s states, complex %s, %j by frame', (states, complex, varying) => {
    const imaginary = complex ? { aIm: [1, states], cIm: [1, states] } : {};
    const scan: ScanCase = {
      name: 'one channel',
      channels: 1,
      states,
      complexInput: false,
      complex,
      method: zoh.diagonal,
      varying,
      operands: { a: [1, states], b: [1, states], c: [1, states], dt: [1, 1], ...imaginary },
    };
    const { parameters, block } = scanFeed(scan, scanJob(scan, { batch: 1, frames: 200, seed: states }));
    const [ours, theirs] = [wasm(), reference].map((backend) =>
      compile(scanModel(scan), parameters, { backend }),
    );
    const half = (from: number, to: number): Record<string, Float32Array> =>
      Object.fromEntries(
        Object.entries(block).map(([port, data]) => [
          port,
          Float32Array.from(data.subarray((from * data.length) / 200, (to * data.length) / 200)),
        ]),
      );
    expect(relativeError(ours!.push(half(0, 90)), theirs!.push(half(0, 90)))).toBeLessThan(1e-5);
    // State goes over in the canonical layout.
    ours!.restore(theirs!.snapshot());
    expect(relativeError(ours!.push(half(90, 200)), theirs!.push(half(90, 200)))).toBeLessThan(1e-5);
  });
});
