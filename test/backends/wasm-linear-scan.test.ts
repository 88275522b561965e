import { describe, expect, it } from 'vitest';
import { referenceSequences } from '../../src/backends/reference/sequence.ts';
import { wasm } from '../../src/backends/wasm/index.ts';
import { zoh } from '../../src/discretize/index.ts';
import { compile, type Stream } from '../../src/stream/index.ts';
import { scanFeed, scanJob, scanModel, type ScanCase } from '../contract/diagonal-scan-cases.ts';
import { expectClose } from '../support/close.ts';

const FRAMES = 300;

/** One mode a channel: four groups of channels share the kernel's registers. */
const single = (channels: number, complex: boolean): ScanCase => ({
  name: `${channels} channels with one ${complex ? 'complex' : 'real'} mode each`,
  channels,
  states: 1,
  complexInput: false,
  complex,
  method: zoh.diagonal,
  varying: [],
  operands: {
    a: [channels, 1],
    ...(complex ? { aIm: [channels, 1] as const, cIm: [channels, 1] as const } : {}),
    b: [1, 1],
    c: [channels, 1],
  },
});

const cases = [16, 32, 48, 20].flatMap((channels) => [single(channels, true), single(channels, false)]);

describe.each([wasm(), wasm({ deterministic: true })])('scans of one state on $name', (backend) => {
  // Slow modes run in float64, beside the others of their group: none, some groups, and all of them.
  it.each(cases.flatMap((scan) => [0, 5, 1].map((every) => ({ name: scan.name, scan, every }))))(
    '$name, every ${every}th slow',
    async ({ scan, every }) => {
      const job = scanJob(scan, { batch: 1, frames: FRAMES, seed: 3 });
      const a = job.inputs[1]!;
      for (let h = 0; h < scan.channels; h++) if (every > 0 && h % every === 0) a[h] = -1e-5;
      const { parameters, block } = scanFeed(scan, job);
      const width = scan.channels;
      const input = Object.values(block)[0]!;
      const run = (stream: Stream, chunk: number, from = 0): number[] => {
        const parts: number[] = [];
        for (let at = from; at < FRAMES; at += chunk)
          parts.push(...stream.push(input.subarray(at * width, Math.min(FRAMES, at + chunk) * width)));
        return parts;
      };
      const open = (): Stream => compile(scanModel(scan), parameters, { backend });
      const whole = run(open(), FRAMES);
      expectClose(Float32Array.from(whole), await referenceSequences.forward(job), 1e-5);
      for (const chunk of [1, 7, 64, 129]) expect(run(open(), chunk)).toEqual(whole);
      const stream = open();
      stream.push(input.subarray(0, 101 * width));
      const fresh = open();
      fresh.restore(stream.snapshot());
      expect(run(fresh, 33, 101)).toEqual(whole.slice(101 * width));
    },
  );
});
