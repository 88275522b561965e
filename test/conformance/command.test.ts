import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatLine, formatTotals } from '../../src/conformance/index.ts';
import { carried, command, doctor, nudge, scratch } from './support.ts';

describe('conformance on the command line', () => {
  it('prints a line for each case and way, then the totals, and ends with 0', () => {
    const { status, stdout, stderr } = command(carried('s4d/minimal'), carried('hippo/N4'));
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.pop()).toBe('5 ok, 0 failed, 0 unsupported');
    for (const line of lines) expect(line).toMatch(/^(ok|FAIL|n\/a|unsupported) +\S+ +\S+ +\S+ +\S+$/);
    expect(lines[0]).toMatch(/^ok +s4d\/minimal +block +\d\.\de-\d+ +1\.0e-5$/);
    // Columns stand below each other.
    expect(new Set(lines.map((line) => line.search(/(?<=^\S+ +\S+ +)\S/))).size).toBe(1);
  });

  it('ends with 1 on a failure, whose reason goes to stderr', () => {
    const { status, stdout, stderr } = command(doctor(scratch(), 's4d/minimal', nudge('output')));
    expect(status).toBe(1);
    expect(stdout).toMatch(/^FAIL +s4d\/minimal +block /);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('2 ok, 2 failed, 0 unsupported');
    expect(stderr).toMatch(/s4d\/minimal block: output\[0\] is /);
  });

  it('ends with 1 on a file that is none', () => {
    const path = join(scratch(), 'broken.safetensors');
    writeFileSync(path, 'no such thing');
    const { status, stdout, stderr } = command(path);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^FAIL .*\/broken +read +- +-\n0 ok, 1 failed, 0 unsupported\n$/);
    expect(stderr).toMatch(/FormatError: /);
    expect(stderr).not.toMatch(/\n +at /);
  });

  it('ends with 0 where all is unsupported', () => {
    const path = doctor(scratch(), 's4d/minimal', ({ metadata }) => void metadata.set('source', 'elsewhere'));
    const { status, stdout } = command('--models', 'nowhere', path);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^unsupported +s4d\/minimal +block +- +1\.0e-5$/m);
  });

  it.each([
    ['no path', [], /missing required argument 'path'/],
    ['an unknown option', ['--loose', carried('hippo/N4')], /unknown option '--loose'/],
    ['an unknown backend', ['--backend', 'abacus', carried('hippo/N4')], /abacus/],
    ['nothing there', [scratch()], /ArgumentError: no golden files/],
    ['a path that does not exist', ['absent'], /ArgumentError: absent: there is no such file/],
  ])('ends with 2 on %s', (_what, args, message) => {
    const { status, stdout, stderr } = command(...args);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
  });

  it('--json gives one object', () => {
    const { status, stdout } = command('--json', carried('hippo/N4'));
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: 1,
      failed: 0,
      unsupported: 0,
      lines: [{ verdict: 'ok', case: 'hippo/N4', way: 'table', tolerance: 1e-6 }],
    });
  });
});

describe('the report', () => {
  it('writes - for numbers that there are none of', () => {
    expect(formatLine({ verdict: 'n/a', case: 'a/b', way: 'phi_q' }).split(/ +/)).toEqual([
      'n/a',
      'a/b',
      'phi_q',
      '-',
      '-',
    ]);
    expect(
      formatLine({ verdict: 'FAIL', case: 'a', way: 'w', error: Infinity, tolerance: 0 }).split(/ +/),
    ).toEqual(['FAIL', 'a', 'w', 'Infinity', '0']);
  });

  it('ends with the totals', () => {
    expect(formatTotals({ lines: [], ok: 3, failed: 2, unsupported: 1 })).toBe(
      '3 ok, 2 failed, 1 unsupported',
    );
  });
});
