import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { clock } from '../../src/cli/support/progress.ts';
import { main, node, noise, scratch, statewave, writeWav } from './support.ts';

const path = scratch();
const hasTerminal = spawnSync('script', ['--version']).status === 0;

describe('statewave', () => {
  it.each([
    [['--help'], /Usage: statewave .*\n[^]*process[^]*inspect[^]*conformance/],
    [['process', '--help'], /Usage: statewave process [^]*--filter[^]*--encoding[^]*Examples:/],
    [['inspect', '--help'], /Usage: statewave inspect /],
    [['conformance', '--help'], /Usage: statewave conformance [^]*--models/],
  ])('%s says how it is used', async (args, help) => {
    const { status, stdout, stderr } = await statewave(args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.toString()).toMatch(help);
  });

  it("says the package's version", async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect((await statewave(['--version'])).stdout.toString()).toBe(`${version}\n`);
  });

  it.each([[[]], [['dance']], [['inspect']], [['conformance']]])(
    'ends with 2 on bad usage: %j',
    async (args) => {
      const { status, stdout, stderr } = await statewave(args);
      expect({ status, stdout: stdout.toString() }).toEqual({ status: 2, stdout: '' });
      expect(stderr).not.toBe('');
    },
  );

  it.skipIf(!hasTerminal)('shows its progress on a terminal (needs script of util-linux)', async () => {
    await writeWav(path('in.wav'), noise(16_000 * 60, 1), {
      sampleRate: 16_000,
      channels: 1,
      encoding: 'pcm16',
    });
    const command = `'${node}' '${main}' process '${path('in.wav')}' '${path('out.wav')}' --filter bandpass --cutoff 300,3400`;
    const { status, stdout } = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout).toMatch(/\d+% \| [\d.]+× real time \| .* left/);
    expect(stdout).toMatch(/out\.wav: 1:00, 1 channel at 16000 Hz, pcm16; [\d.]+× real time/);
  });
});

describe('clock', () => {
  it.each([
    [0, '0.0 s'],
    [59.94, '59.9 s'],
    [59.96, '1:00'],
    [62, '1:02'],
    [3602, '1:00:02'],
  ])('%d s', (seconds, text) => expect(clock(seconds)).toBe(text));
});
