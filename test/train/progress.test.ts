import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { terminalProgress } from '../../src/train/index.ts';

/** What a run of 4 steps in 2 epochs shows. */
async function shown(isTTY: boolean): Promise<string> {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  // What cli-progress asks of a terminal.
  for (const name of ['cursorTo', 'moveCursor', 'clearLine', 'clearScreenDown'])
    Object.assign(stream, { [name]: () => true });
  const progress = await terminalProgress(0.01, stream as unknown as NodeJS.WriteStream);
  progress.start({ steps: 4, epochs: 2, at: 1, backend: 'reference' });
  progress.step({ step: 1, epoch: 0, loss: 2, gradientNorm: 1, rate: 0.5 });
  progress.epoch({
    epoch: 0,
    steps: 2,
    loss: 1.5,
    gradientNorm: 1,
    rate: 0.5,
    validation: 1.25,
    metrics: { accuracy: 0.75 },
  });
  progress.stop();
  progress.stop();
  return (stream.read() as Buffer).toString();
}

describe('terminalProgress', () => {
  it('is lines where there is no terminal: a log that can be read', async () => {
    expect(await shown(false)).toBe(
      'resuming at step 1 of 4 steps on reference\n' +
        'epoch 1/2  loss 1.500  validation 1.250  accuracy 0.7500  rate 0.0050\n',
    );
  });

  it('is a bar as well where there is one, with loss, rate and time left', async () => {
    const text = await shown(true);
    expect(text).toMatch(/█+░+ 50% \| loss 2\.000 \| rate 0\.0050 \| \S+ steps\/s \| \S+ left/);
    expect(text).toMatch(/epoch 1\/2 {2}loss 1\.500/);
  });
});
