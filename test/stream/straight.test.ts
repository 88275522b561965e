import { expect, it } from 'vitest';
import { reference } from '../../src/backends/reference/index.ts';
import { biquadFilter, initialise, s4d } from '../../src/layers/index.ts';
import { random } from '../../src/init/index.ts';
import { compile, type Stream } from '../../src/stream/index.ts';

const CHANNELS = 5;
const model = s4d({ features: CHANNELS, states: 4 });
const parameters = initialise(model, 3);
const filter = biquadFilter([{ type: 'lowpass', frequency: 1000 }]);

const noise = (length: number): Float32Array => {
  const source = random(7);
  return Float32Array.from({ length }, () => source.uniform(-1, 1));
};

const pair = (): [Stream, Stream] => [compile(model, parameters), compile(model, parameters)];

/** By the way that blocks of named ports take. */
function processNamed(stream: Stream, input: Float32Array, output: Float32Array): number {
  const { inputs, outputs } = stream.lane;
  return stream.process({ [inputs.ports[0]!.name]: input }, { [outputs.ports[0]!.name]: output });
}

it('is there where every op fires once a frame and nothing is kept, on float32 alone', () => {
  expect(compile(model, parameters).lane.straight).toBeDefined();
  expect(compile(filter, {}, { sampleRate: 48_000 }).lane.straight).toBeDefined();
  expect(compile(model, parameters, { precision: 'float64' }).lane.straight).toBeUndefined();
  expect(compile(model, parameters, { backend: reference }).lane.straight).toBeUndefined();
});

it('gives the bits and the snapshot of the other way, however the input is cut', () => {
  const [straight, other] = pair();
  const input = noise(700 * CHANNELS);
  // 300 frames are more than a pass takes.
  const sizes = [1, 1, 3, 64, 64, 0, 300, 5, 256, 1, 4, 1];
  let at = 0;
  for (const frames of sizes) {
    const block = input.subarray(at, (at += frames * CHANNELS));
    const a = new Float32Array((frames + 1) * CHANNELS).fill(9);
    const b = a.slice();
    expect(straight.process(block, a)).toBe(frames);
    expect(processNamed(other, block, b)).toBe(frames);
    expect(a).toEqual(b);
    expect(straight.framesSeen).toBe(other.framesSeen);
    expect(straight.snapshot()).toEqual(other.snapshot());
  }
  const fork = straight.fork();
  expect(fork.push(input)).toEqual(other.push(input));
  expect(straight.flush()).toEqual(new Float32Array(0));
  expect(() => straight.push(input)).toThrow('has ended');
});

it('refuses any number that is not finite, and has consumed nothing then', () => {
  for (const frames of [1, 2, 7]) {
    for (const bad of [NaN, Infinity, -Infinity]) {
      for (let i = 0; i < frames * CHANNELS; i++) {
        const [straight, other] = pair();
        const input = noise(frames * CHANNELS);
        const output = new Float32Array(frames * CHANNELS);
        straight.process(input, output);
        other.process(input, output);
        input[i] = bad;
        const place = `at frame ${frames + Math.floor(i / CHANNELS)}, channel ${i % CHANNELS}`;
        expect(() => straight.process(input, output)).toThrow(place);
        expect(straight.snapshot()).toEqual(other.snapshot());
      }
    }
  }
});

it('is not misled by what stands behind the block, nor by the largest numbers', () => {
  const stream = compile(filter, {}, { sampleRate: 48_000 });
  stream.lane.inputs.ports[0]!.node.data.fill(Infinity);
  const output = new Float32Array(3);
  expect(stream.process(Float32Array.of(3.4028234663852886e38, -1e-40, 0), output)).toBe(3);
  expect(stream.framesSeen).toBe(3);
});

it('leaves blocks with something wrong to the other way; rounds arrays in float64 as that does', () => {
  const [straight, other] = pair();
  const frames = 4;
  const input = noise(frames * CHANNELS);
  const output = new Float32Array(frames * CHANNELS);
  expect(() => straight.process(input.subarray(1), output)).toThrow('no whole number of frames');
  expect(() => straight.process(input, output.subarray(1))).toThrow('has room for 3 frames, but 4');
  expect(() => straight.process({ nothing: input }, output)).toThrow('missing');
  expect(straight.framesSeen).toBe(0);
  const wide = new Float64Array(frames * CHANNELS);
  expect(straight.process(Float64Array.from(input), wide)).toBe(frames);
  processNamed(other, input, output);
  expect(Float32Array.from(wide)).toEqual(output);
  // Finite in float64 but not in float32: no reason to refuse it here, as ever.
  const large = new Float64Array(CHANNELS).fill(1e300);
  expect(straight.process(large, wide)).toBe(1);
});
