import type { Contender } from '../contest.ts';
import { noise } from '../noise.ts';
import { tensorflow, type TfBackend, type TfTensor } from '../peers/tfjs.ts';
import { chunked, type S4d } from './model.ts';

/** S4D in TensorFlow.js, the block as products over chunks of `length` frames with carried state. */
export async function s4dTensors(
  backend: TfBackend,
  s4d: S4d,
  block: number,
  length: number,
): Promise<Contender> {
  const tf = await tensorflow(backend);
  const { channels: H, states: N } = s4d;
  const form = chunked(s4d, length);
  const chunks = block / length;
  const constant = (values: Float64Array, shape: readonly number[]): TfTensor =>
    tf.tensor(Float32Array.from(values), shape);
  const uTk = constant(form.uTk, [H, length, length + 2 * N]);
  const sO = constant(form.sO, [H, 2 * N, length]);
  const [re, im] = [constant(form.turnRe, [H, 1, 2 * N]), constant(form.turnIm, [H, 1, 2 * N])];

  const pass = (input: Float32Array, s: TfTensor): { y: TfTensor; s: TfTensor } => {
    const u = tf.reshape(tf.transpose(tf.tensor(input, [block, H]), [1, 0]), [H, chunks, length]);
    const [own, driven] = tf.split(tf.matMul(u, uTk), [length, 2 * N], 2) as [TfTensor, TfTensor];
    const before: TfTensor[] = [];
    for (const drive of tf.split(driven, chunks, 1)) {
      before.push(s);
      const [sRe, sIm] = tf.split(s, 2, 2) as [TfTensor, TfTensor];
      s = tf.add(tf.add(tf.mul(s, re), tf.mul(tf.concat([sIm, sRe], 2), im)), drive);
    }
    const y = tf.add(own, tf.matMul(tf.concat(before, 1), sO));
    return { y: tf.transpose(tf.reshape(y, [H, block]), [1, 0]), s };
  };

  let state = tf.zeros([H, 1, 2 * N]);
  const advance = (input: Float32Array): Float32Array => {
    const next = tf.tidy(() => pass(input, state));
    state.dispose();
    state = next.s;
    const output = next.y.dataSync();
    next.y.dispose();
    return output;
  };
  const drive = noise(block * H);
  return {
    name: `@tensorflow/tfjs ${tf.version.tfjs} ${backend}, chunks of ${length}`,
    samples: block,
    async run(pieces) {
      await tf.setBackend(backend);
      const start = process.hrtime.bigint();
      for (let i = 0; i < pieces; i++) advance(drive);
      return Number(process.hrtime.bigint() - start);
    },
    async answer(probe) {
      await tf.setBackend(backend);
      state.dispose();
      state = tf.zeros([H, 1, 2 * N]);
      const size = block * H;
      const output = new Float32Array(probe.length);
      for (let at = 0; at + size <= probe.length; at += size)
        output.set(advance(probe.slice(at, at + size)), at);
      return output;
    },
    async close() {
      await tf.setBackend(backend);
      for (const tensor of [uTk, sO, re, im, state]) tensor.dispose();
    },
  };
}
