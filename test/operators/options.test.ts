import { Subject, concat, from, lastValueFrom, of, type Observable } from 'rxjs';
import { map, toArray } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { fixedOperatorFor, formatOf, lti, s4d, ssm, withFormat } from '../../operators/index.ts';
import { ArgumentError, GraphError, SnapshotError, StreamError } from '../../src/errors.ts';
import { initialise, lti as ltiLayer, s4d as s4dLayer } from '../../src/layers/index.ts';
import type { FloatArray } from '../../src/signal/index.ts';
import { compile, type Diagnostic, type Stream } from '../../src/stream/index.ts';
import { a, concatenated, halfRate, integrator, lookAhead, noise, ragged, stereoGain } from './models.ts';

const all = (source: Observable<FloatArray>): Promise<number[]> =>
  lastValueFrom(source.pipe(toArray(), map(concatenated)), { defaultValue: [] });

const recorder = (log: unknown[]) => ({
  next: (value: unknown) => void log.push(value),
  error: (error: unknown) => void log.push(error),
  complete: () => void log.push('|'),
});

describe('signal', () => {
  it('ends the stream with its reason and closes the source', () => {
    const source = new Subject<number>();
    const abort = new AbortController();
    const log: unknown[] = [];
    source.pipe(ssm(integrator(), a, { signal: abort.signal })).subscribe(recorder(log));
    source.next(1);
    abort.abort('enough');
    source.next(1);
    expect(log).toEqual([1, 'enough']);
    expect(source.observed).toBe(false);
  });

  it('that has aborted before never subscribes', () => {
    const source = new Subject<number>();
    const log: unknown[] = [];
    const reason = new Error('too late');
    source.pipe(ssm(integrator(), a, { signal: AbortSignal.abort(reason) })).subscribe(recorder(log));
    expect(log).toEqual([reason]);
    expect(source.observed).toBe(false);
  });

  it('is let go of when the stream ends first', () => {
    const listeners = new Set<unknown>();
    const { signal } = new AbortController();
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (type: string, listener: never) => {
      listeners.add(listener);
      addEventListener.call(signal, type, listener);
    };
    signal.removeEventListener = (type: string, listener: never) => {
      listeners.delete(listener);
      removeEventListener.call(signal, type, listener);
    };
    const source = new Subject<number>();
    source.pipe(ssm(integrator(), a, { signal })).subscribe();
    expect(listeners.size).toBe(1);
    source.complete();
    expect(listeners.size).toBe(0);
  });
});

describe('onStream and snapshot', () => {
  const input = noise(500);
  const model = lookAhead(9);

  it('go on from where another subscription stood, bit for bit', async () => {
    const whole = await all(of(input).pipe(ssm(model, a)));
    let running: Stream | undefined;
    const source = new Subject<Float32Array>();
    const before: FloatArray[] = [];
    source
      .pipe(ssm(model, a, { onStream: (stream) => (running = stream) }))
      .subscribe((block) => before.push(block));
    source.next(input.slice(0, 211));
    const snapshot = running!.snapshot();
    expect(running!.framesSeen).toBe(211);
    source.next(input.slice(211, 300));
    const resumed = from(ragged(input.slice(211))).pipe(ssm(model, a, { snapshot }));
    const head = concatenated(before).slice(0, 211 - 9);
    expect([...head, ...(await all(resumed))]).toEqual(whole);
    // Each subscription restores; the snapshot is not used up.
    expect([...head, ...(await all(resumed))]).toEqual(whole);
    // With nothing to come, what it held back still goes out.
    const stream = compile(model, a);
    stream.restore(snapshot);
    expect(await all(from<Float32Array[]>([]).pipe(ssm(model, a, { snapshot })))).toEqual([
      ...stream.flush(),
    ]);
  });

  it('of another model end in error()', async () => {
    const snapshot = compile(integrator(), a).snapshot();
    const foreign = of(input).pipe(ssm(model, a, { snapshot }));
    await expect(lastValueFrom(foreign)).rejects.toThrow(SnapshotError);
    const many = of(input).pipe(ssm(integrator(), a, { snapshot: [snapshot, snapshot] }));
    await expect(lastValueFrom(many)).rejects.toThrow(/1 states, but got 2 snapshots/);
  });
});

describe('nonFinite and diagnostics', () => {
  const bad = [1, Number.NaN, 0, Infinity, 1, 0];

  it.each([
    ['hold', [1, 1, 0, 0, 1, 0]],
    ['zero', [1, 0, 0, 0, 1, 0]],
  ] as const)('%s mends the input, says so, and goes on', async (nonFinite, mended) => {
    const noted: Diagnostic[] = [];
    const diagnostics = { next: (diagnostic: Diagnostic) => void noted.push(diagnostic) };
    const result = from(bad).pipe(ssm(integrator(), a, { nonFinite, diagnostics }), toArray());
    const clean = await lastValueFrom(from(mended).pipe(ssm(integrator(), a), toArray()));
    expect(await lastValueFrom(result)).toEqual(clean);
    expect(noted.map(({ frame, action, count }) => [frame, action, count])).toEqual([
      [1, nonFinite, 1],
      [3, nonFinite, 1],
    ]);
  });

  it('reset forgets the state', async () => {
    const result = from([1, 1, Number.NaN, 1]).pipe(ssm(integrator(), a, { nonFinite: 'reset' }), toArray());
    expect(await lastValueFrom(result)).toEqual([1, 1.5, 0, 1]);
  });

  it('one Subject serves many streams, and outlives them', async () => {
    const noted: Diagnostic[] = [];
    const diagnostics = new Subject<Diagnostic>();
    diagnostics.subscribe((diagnostic) => noted.push(diagnostic));
    const result = from(bad).pipe(ssm(integrator(), a, { nonFinite: 'zero', diagnostics }), toArray());
    await lastValueFrom(result);
    await lastValueFrom(result);
    expect(noted.length).toBe(4);
  });

  it('other streams of the operator see nothing of it', () => {
    const operator = ssm(integrator(), a);
    const broken = new Subject<number>();
    const sound = new Subject<number>();
    const log: unknown[] = [];
    broken.pipe(operator).subscribe({ error: () => {} });
    sound.pipe(operator).subscribe((y) => log.push(y));
    sound.next(1);
    broken.next(Number.NaN);
    sound.next(0);
    expect(log).toEqual([1, 0.5]);
  });

  it('comes ahead of the output of its block, also for a listener that feeds the source', () => {
    const source = new Subject<number>();
    const log: unknown[] = [];
    const diagnostics = {
      next({ frame }: Diagnostic) {
        log.push(`frame ${frame}`);
        if (frame === 0) source.next(4);
      },
    };
    source.pipe(ssm(integrator(), a, { nonFinite: 'zero', diagnostics })).subscribe((y) => log.push(y));
    source.next(Number.NaN);
    source.next(0);
    expect(log).toEqual(['frame 0', 0, 4, 2]);
  });
});

describe('realtime', () => {
  it('gives n frames for n, the latency in zeros first, and flushes nothing', async () => {
    const input = noise(3000);
    const pieces = [...ragged(input.slice(0, 1000)), input.slice(1000)];
    const blocks = await lastValueFrom(
      from(pieces).pipe(ssm(lookAhead(7), a, { realtime: true }), toArray()),
    );
    expect(blocks.map((block) => block.length)).toEqual(
      pieces.map((piece) => piece.length).filter((length) => length > 0),
    );
    const plain = await all(of(input).pipe(ssm(lookAhead(7), a)));
    expect(concatenated(blocks)).toEqual([...new Float32Array(7), ...plain.slice(0, -7)]);
  });

  it('works on numbers, and refuses a model of another rate', async () => {
    const result = from([1, 2, 4]).pipe(ssm(lookAhead(1), a, { realtime: true }), toArray());
    expect(await lastValueFrom(result)).toEqual([0, 3, 6.5]);
    await expect(lastValueFrom(of(noise(4)).pipe(ssm(halfRate, {}, { realtime: true })))).rejects.toThrow(
      StreamError,
    );
  });
});

describe('the format of blocks', () => {
  const cd = { sampleRate: 44_100, channels: 1 };
  const input = noise(400);
  const smooth = ltiLayer({ b: [1], a: [0.01, 1] }, { domain: 'continuous' });

  it('sets the rate that the model runs at', async () => {
    const stream = compile(smooth, {}, { sampleRate: 44_100 });
    const rates: unknown[] = [];
    const onStream = ({ sampleRate }: Stream): void => void rates.push(sampleRate);
    const result = from(ragged(input)).pipe(withFormat(cd), ssm(smooth, {}, { onStream }));
    expect(await all(result)).toEqual([...stream.push(input)]);
    expect(rates).toEqual([44_100]);
  });

  it('is carried on, as the model changes it', async () => {
    const formats = async (source: Observable<FloatArray>): Promise<unknown> =>
      formatOf(await lastValueFrom(source));
    const tagged = of(input).pipe(withFormat(cd));
    expect(await formats(tagged.pipe(ssm(integrator(), a)))).toEqual(cd);
    expect(await formats(tagged.pipe(ssm(halfRate, {})))).toEqual({ sampleRate: 22_050, channels: 2 });
    expect(await formats(of(input).pipe(ssm(integrator(), a, { sampleRate: 8000 })))).toEqual({
      sampleRate: 8000,
      channels: 1,
    });
    expect(await formats(of(input).pipe(ssm(integrator(16_000), a)))).toEqual({
      sampleRate: 16_000,
      channels: 1,
    });
    // Look-ahead that comes out at the end still is what it is.
    expect(await formats(of(input.slice(0, 3)).pipe(withFormat(cd), ssm(lookAhead(5), a)))).toEqual(cd);
    expect(await formats(of(input).pipe(ssm(integrator(), a)))).toBeUndefined();
  });

  it('refuses a rate that the model cannot follow, and one that contradicts', async () => {
    const at16k = of(input).pipe(withFormat(cd), ssm(integrator(16_000), a));
    await expect(lastValueFrom(at16k)).rejects.toThrow(GraphError);
    const told = of(input).pipe(withFormat(cd), ssm(smooth, {}, { sampleRate: 8000 }));
    await expect(lastValueFrom(told)).rejects.toThrow(/8000 Hz, but this block is 1 channel at 44100 Hz/);
    const spliced = concat(
      of(input.slice()).pipe(withFormat(cd)),
      of(input.slice()).pipe(withFormat({ ...cd, sampleRate: 8000 })),
    );
    await expect(lastValueFrom(spliced.pipe(ssm(smooth, {})))).rejects.toThrow(StreamError);
  });

  it('belongs to the very array: never overwritten, never that of another', async () => {
    const plain = noise(4);
    const block = await lastValueFrom(of(plain).pipe(withFormat(cd)));
    expect(block).toEqual(plain);
    expect(formatOf(plain)).toBeUndefined();
    await expect(
      lastValueFrom(of(block).pipe(withFormat({ sampleRate: 8000, channels: 1 }))),
    ).rejects.toThrow(/already/);
    expect(formatOf(block)).toEqual(cd);
    expect(formatOf(block.subarray(2))).toBeUndefined();
    expect(() => withFormat({ sampleRate: 0, channels: 1 })).toThrow(ArgumentError);
    expect(() => withFormat({ sampleRate: 1, channels: 1.5 })).toThrow(ArgumentError);
    await expect(
      lastValueFrom(of(noise(3)).pipe(withFormat({ sampleRate: 8000, channels: 2 }))),
    ).rejects.toThrow(/3 values/);
  });
});

describe('channels', () => {
  const left = noise(300, 3);
  const right = noise(300, 4);
  const stereo = Float32Array.from({ length: 600 }, (_, i) => (i % 2 ? right : left)[i >> 1]!);
  const apart = async (model = lookAhead(5)): Promise<number[]> => {
    const [l, r] = await Promise.all([left, right].map((side) => all(of(side).pipe(ssm(model, a)))));
    return l!.flatMap((y, k) => [y, r![k]!]);
  };

  it('more than the model takes run with one state each', async () => {
    const pieces = ragged(stereo, 2);
    expect(await all(from(pieces).pipe(ssm(lookAhead(5), a, { channels: 2 })))).toEqual(await apart());
    const tagged = from(pieces).pipe(withFormat({ sampleRate: 8000, channels: 2 }));
    expect(await all(tagged.pipe(ssm(lookAhead(5), a)))).toEqual(await apart());
  });

  it('each resume from their own snapshot', async () => {
    const streams: Stream[] = [];
    const onStream = (stream: Stream, channel: number): void => void (streams[channel] = stream);
    const source = new Subject<Float32Array>();
    const head: FloatArray[] = [];
    source.pipe(ssm(integrator(), a, { channels: 2, onStream })).subscribe((block) => head.push(block));
    source.next(stereo.slice(0, 200));
    const snapshot = streams.map((stream) => stream.snapshot());
    const rest = of(stereo.slice(200)).pipe(ssm(integrator(), a, { channels: 2, snapshot }));
    expect([...concatenated(head), ...(await all(rest))]).toEqual(await apart(integrator()));
  });

  it('of a diagnostic are those of the block', () => {
    const noted: Diagnostic[] = [];
    const block = Float32Array.of(0, 0, 0, Number.NaN);
    const diagnostics = { next: (diagnostic: Diagnostic) => void noted.push(diagnostic) };
    of(block)
      .pipe(ssm(integrator(), a, { channels: 2, nonFinite: 'zero', diagnostics }))
      .subscribe();
    expect(noted).toMatchObject([{ channel: 1, frame: 1 }]);
  });

  it('that do not fit are refused', async () => {
    const mono = of(left).pipe(withFormat({ sampleRate: 8000, channels: 1 }), ssm(stereoGain, {}));
    await expect(lastValueFrom(mono)).rejects.toThrow(/frames of 2, but the blocks have 1 channels/);
    const odd = of(noise(3)).pipe(ssm(integrator(), a, { channels: 2 }));
    await expect(lastValueFrom(odd)).rejects.toThrow(StreamError);
    expect(() => ssm(integrator(), a, { channels: 0 })).toThrow(ArgumentError);
  });
});

describe('named operators', () => {
  it('are ssm on their layer', async () => {
    const input = noise(200);
    const layer = s4dLayer({ features: 1, states: 8 });
    const parameters = initialise(layer, 1);
    expect(await all(of(input).pipe(s4d({ features: 1, states: 8 }, parameters)))).toEqual(
      await all(of(input).pipe(ssm(layer, parameters))),
    );
    const system = { b: [0.5, 0], a: [1, -0.5] };
    expect(await all(of(input).pipe(lti(system)))).toEqual([...compile(ltiLayer(system), {}).push(input)]);
    expect(await all(of(input).pipe(fixedOperatorFor(ltiLayer)(system)))).toEqual(
      await all(of(input).pipe(lti(system, {}, { sampleRate: 48_000 }))),
    );
  });
});
