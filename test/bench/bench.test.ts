import { describe, expect, it } from 'vitest';
import { reference } from '../../src/backends/reference/index.ts';
import { compile } from '../../src/stream/index.ts';
import { faster, within } from './contest.ts';
import { noise } from './noise.ts';
import { readOptions } from './options.ts';
import { makeRow } from './rows.ts';
import { chunked, s4dRecurrence } from './s4d/model.ts';
import { spread } from './statistics.ts';

describe('statistics', () => {
  it('takes median and quartiles between the sorted values', () => {
    expect(spread([4, 1, 3, 2])).toEqual({ lower: 1.75, median: 2.5, upper: 3.25 });
    expect(spread([7])).toEqual({ lower: 7, median: 7, upper: 7 });
  });
});

describe('rows', () => {
  const flat = (ns: number) => ({ lower: ns, median: ns, upper: ns });
  const row = (ours: number, peer: number, target = within(1.6)) =>
    makeRow('x', { name: 'a', spread: flat(ours) }, { name: 'b', spread: flat(peer) }, { target });

  it('say how many times faster ours is, and whether the target holds', () => {
    expect(row(50, 100)).toMatchObject({ oursNs: 50, peerNs: 100, speedup: 2, holds: true });
    expect(row(161, 100)).toMatchObject({ holds: false });
    expect(row(40, 100, faster(3))).toMatchObject({ holds: false });
    expect(row(30, 100, faster(3))).toMatchObject({ holds: true });
  });

  it('compare seconds where both are live, not samples of different rates', () => {
    const live = makeRow(
      'x',
      { name: 'a', spread: flat(3000), sampleRate: 16_000 },
      { name: 'b', spread: flat(2000), sampleRate: 48_000 },
      {},
    );
    expect(live).toMatchObject({ oursRealTime: 0.048, peerRealTime: 0.096, speedup: 2 });
  });
});

describe('options', () => {
  it('writes the page after a full run of everything, or when asked', () => {
    expect(readOptions([])).toMatchObject({ docs: true, effort: { name: 'full' } });
    expect(readOptions(['--quick'])).toMatchObject({ docs: false, effort: { name: 'quick' } });
    expect(readOptions(['--only', 's4d'])).toMatchObject({ docs: false });
    expect(readOptions(['--quick', '--docs'])).toMatchObject({ docs: true });
    expect(readOptions(['--help'])).toBeUndefined();
    expect(() => readOptions(['--fast'])).toThrow('--fast');
  });
});

describe('S4D as products over chunks, the form that peers run', () => {
  it.each([8, 32])('gives the output of the recurrence with chunks of %d', (length) => {
    const s4d = s4dRecurrence(2, 4);
    const { channels: H, states: N } = s4d;
    const form = chunked(s4d, length);
    const input = noise(64 * H, 4);
    const expected = compile(s4d.model, s4d.parameters, { backend: reference, precision: 'float64' }).push(
      input,
    );
    for (let h = 0; h < H; h++) {
      let s = new Float64Array(2 * N);
      for (let at = 0; at < 64; at += length) {
        const next = s.map(
          (x, i) => form.turnRe[h * 2 * N + i]! * x + form.turnIm[h * 2 * N + i]! * s[(i + N) % (2 * N)]!,
        );
        const y = new Float64Array(length);
        for (let k = 0; k < length; k++) {
          for (let i = 0; i < 2 * N; i++) y[k]! += form.sO[(h * 2 * N + i) * length + k]! * s[i]!;
        }
        const width = length + 2 * N;
        for (let from = 0; from < length; from++) {
          const u = input[(at + from) * H + h]!;
          const row = form.uTk.subarray((h * length + from) * width, (h * length + from + 1) * width);
          for (let k = 0; k < length; k++) y[k]! += row[k]! * u;
          for (let i = 0; i < 2 * N; i++) next[i]! += row[length + i]! * u;
        }
        s = next;
        y.forEach((value, k) => expect(value).toBeCloseTo(expected[(at + k) * H + h]!, 9));
      }
    }
  });
});
