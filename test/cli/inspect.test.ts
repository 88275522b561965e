import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import wavefile from 'wavefile';
import { inspect } from '../../src/cli/inspect/inspect.ts';
import { compile, filter, FormatError, initialise, s4d } from '../../src/index.ts';
import { saveModel } from '../../src/models/index.ts';
import { noise, scratch, statewave, writeWav } from './support.ts';

const path = scratch();

describe('statewave inspect', () => {
  it('describes a WAV file, from a pipe as well', async () => {
    const format = { sampleRate: 44_100, channels: 3, encoding: 'pcm24' } as const;
    await writeWav(path('three.wav'), noise(3 * 441, 1), format);
    const [text, json, piped] = await Promise.all([
      statewave(['inspect', path('three.wav')]),
      statewave(['inspect', path('three.wav'), '--json']),
      statewave(['inspect', '-', '--json'], readFileSync(path('three.wav'))),
    ]);
    for (const { status, stderr } of [text, json, piped]) {
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    }
    expect(text.stdout.toString()).toMatch(
      /WAV \(RIFF, extensible\)\n {2}encoding +pcm, 24 bits\n {2}channels +3\n {2}rate +44100 Hz\n {2}length +441 frames, 0\.0 s/,
    );
    const facts = { kind: 'wav', frames: 441, seconds: 0.01, channels: 3, sampleRate: 44_100, warnings: [] };
    expect(JSON.parse(json.stdout.toString())).toMatchObject(facts);
    expect(JSON.parse(piped.stdout.toString())).toMatchObject({ ...facts, file: 'stdin' });
  });

  it('tells a kind by content, not by name, and says what was wrong with a file that can be read', async () => {
    await writeWav(path('whole.wav'), noise(100, 2), { sampleRate: 8000, channels: 1, encoding: 'pcm16' });
    writeFileSync(path('cut.safetensors'), readFileSync(path('whole.wav')).subarray(0, -51));
    const { status, stdout } = await statewave(['inspect', path('cut.safetensors')]);
    expect(status).toBe(0);
    expect(stdout.toString()).toMatch(/length +74 frames/);
    expect(stdout.toString()).toMatch(/warning: the header says 200 bytes of samples, 149 are there/);
  });

  it('gives the texts that a WAV file carries', async () => {
    const wav = new wavefile.WaveFile();
    wav.fromScratch(1, 8000, '16', [0, 1, 2]);
    wav.setTag('INAM', 'Sense and Sensibility');
    wav.setTag('IART', 'Austen');
    writeFileSync(path('named.wav'), wav.toBuffer());
    const { status, stdout } = await statewave(['inspect', path('named.wav')]);
    expect(status).toBe(0);
    expect(stdout.toString()).toMatch(/INAM +Sense and Sensibility\n +IART +Austen/);
    expect(await inspect(path('named.wav'))).toMatchObject({
      texts: { INAM: 'Sense and Sensibility', IART: 'Austen' },
    });
  });

  it('describes a checkpoint', async () => {
    const model = s4d({ features: 2, states: 8 });
    saveModel(path('model.bin'), 's4d', { d_model: 2, d_state: 8 }, initialise(model, 1), {
      metadata: { licence: 'MIT' },
    });
    const { status, stdout } = await statewave(['inspect', path('model.bin'), '--json']);
    expect(status).toBe(0);
    const parameters = [...initialise(model, 1).values()].reduce((sum, values) => sum + values.length, 0);
    const report = JSON.parse(stdout.toString()) as { tensors: unknown[] };
    expect(report).toMatchObject({
      kind: 'safetensors',
      format: 's4d',
      config: { d_model: 2, d_state: 8 },
      parameters,
      metadata: { licence: 'MIT' },
    });
    expect(report.tensors).toContainEqual({ name: 'kernel.log_dt', dtype: 'F32', shape: [2] });
  });

  it('describes a snapshot, and refuses a damaged one', async () => {
    const stream = compile(
      filter({ family: 'bessel', order: 2, type: 'lowpass', cutoff: 100 }),
      {},
      {
        sampleRate: 8000,
      },
    );
    stream.push(noise(123, 3));
    const bytes = stream.snapshot();
    writeFileSync(path('state'), bytes);
    expect(await inspect(path('state'))).toMatchObject({
      kind: 'snapshot',
      model: 'filter',
      hash: stream.identity.hash,
      backend: expect.any(String) as string,
      sampleRate: 8000,
      frames: 123,
      ended: false,
    });
    const { status, stdout } = await statewave(['inspect', path('state')]);
    expect(status).toBe(0);
    expect(stdout.toString()).toMatch(/snapshot of a stream\n {2}model +filter.*\n[^]*position +123 frames/);
    bytes[bytes.length - 10]! ^= 1;
    writeFileSync(path('damaged'), bytes);
    await expect(inspect(path('damaged'))).rejects.toThrow(/no whole snapshot .*its checksum is wrong/);
  });

  it.each([
    ['nothing', new Uint8Array(0), /is neither a WAV file.*it is empty/],
    ['a zip that is none', new TextEncoder().encode('PK\x03\x04 and so on, long enough'), /no-samples.*ZIP/i],
    ['JSON that is no model', new TextEncoder().encode('{"weather": [1, 2]}'), /no-samples/],
    ['text', new TextEncoder().encode('# A title, and some text.'), /begins with 23 20 41 20 74/],
    ['a WAV without samples', new TextEncoder().encode('RIFF\x04\0\0\0WAVE'), /no-samples.*WAV/],
    [
      'a checkpoint that lies about its header',
      new Uint8Array([255, 255, 255, 255, 0, 0, 0, 0, 0x7b, 0x7d]),
      /no-samples.*header/,
    ],
  ])('refuses %s with a typed error that names the file', async (_what, bytes, message) => {
    writeFileSync(path('no-samples'), bytes);
    const error = await inspect(path('no-samples')).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toContain(path('no-samples'));
  });

  it('ends with exit status 1 and one line on a file that is broken or missing', async () => {
    writeFileSync(path('noise'), noise(100, 4));
    for (const name of ['noise', 'absent']) {
      const { status, stdout, stderr } = await statewave(['inspect', path(name)]);
      expect({ status, stdout: stdout.toString() }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toMatch(new RegExp(`^statewave: .*${name}.*\n$`));
    }
  });
});
