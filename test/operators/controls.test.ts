import { Subject, concat, of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { ssm, withFormat, type ControlChange } from '../../operators/index.ts';
import { ParameterError } from '../../src/errors.ts';
import { resonator } from '../../src/layers/index.ts';
import { compile } from '../../src/stream/index.ts';
import { noise } from './models.ts';

const model = resonator({ frequency: 500, damping: 0.2 });
const sampleRate = 48_000;

describe('controls', () => {
  it('set parameters from the next frame on, those that came early from the first', () => {
    const source = new Subject<Float32Array>();
    const controls = new Subject<ControlChange>();
    const heard: number[] = [];
    source.pipe(ssm(model, {}, { sampleRate, controls })).subscribe((block) => heard.push(...block));
    controls.next({ name: 'damping', value: 0.4 });
    const [first, second] = [noise(100), noise(300)];
    source.next(first);
    controls.next({ name: 'frequency', value: 2000, ramp: 200 });
    source.next(second);
    const stream = compile(model, {}, { sampleRate });
    stream.set('damping', 0.4);
    const expected = [...stream.push(first)];
    stream.set('frequency', 2000, { ramp: 200 });
    expect(heard).toEqual([...expected, ...stream.push(second)]);
    source.complete();
    expect(controls.observed).toBe(false);
  });

  it('set those of every channel', () => {
    const controls = of<ControlChange>({ name: 'frequency', value: 2000 });
    const mono = noise(50);
    const stereo = Float32Array.from({ length: 100 }, (_, i) => mono[i >> 1]!);
    const heard: number[] = [];
    of(stereo)
      .pipe(withFormat({ sampleRate, channels: 2 }), ssm(model, {}, { controls }))
      .subscribe((block) => heard.push(...block));
    expect(heard.filter((_, i) => i % 2 === 0)).toEqual(heard.filter((_, i) => i % 2 === 1));
    const stream = compile(model, {}, { sampleRate });
    stream.set('frequency', 2000);
    expect(heard.filter((_, i) => i % 2 === 0)).toEqual([...stream.push(mono)]);
  });

  it.each([
    ['a name that is unknown', of<ControlChange>({ name: 'cutof', value: 1 }), ParameterError],
    ['an error of their own', concat(throwError(() => new RangeError('gone'))), RangeError],
  ])('end the stream with %s', (_, controls, type) => {
    const source = new Subject<Float32Array>();
    let seen: unknown;
    source
      .pipe(ssm(model, {}, { sampleRate, controls }))
      .subscribe({ error: (error: unknown) => (seen = error) });
    source.next(noise(10));
    expect(seen).toBeInstanceOf(type);
    expect(source.observed).toBe(false);
  });
});
