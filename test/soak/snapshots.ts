/**
 * Is a snapshot whole? Every layer, saved at 1,000 random frames and restored into a stream that did something else
 * before: not one bit of what follows may differ.
 *
 *     node test/soak/snapshots.ts [snapshots a layer = 1000]
 */
import { random } from '../../src/init/index.ts';
import * as layers from '../../src/layers/index.ts';
import { attenuate, cleanUMamba, jamba, mambaModel, rwkv4Model } from '../../src/models/index.ts';
import type { Layer } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { smallAttenuate, smallCleanUMamba } from '../models/small-denoisers.ts';
import { stirred } from '../support/stirred.ts';

const F = 8;
const subjects: readonly Layer[] = [
  layers.lti({ sections: [[0.2, 0.4, 0.2, 1, -0.3, 0.1]] }),
  layers.filter({
    family: 'elliptic',
    order: 5,
    type: 'bandpass',
    cutoff: [300, 3400],
    ripple: 1,
    attenuation: 60,
  }),
  layers.s4({ features: F, states: 8 }),
  layers.s4d({ features: F, states: 8 }),
  layers.s4dBlock({ features: F, states: 8 }),
  layers.s5({ features: F, states: 8 }),
  layers.lru({ features: F, states: 8 }),
  layers.mamba({ features: F, states: 4 }),
  layers.mamba2({ features: F, states: 4, headWidth: 4 }),
  layers.mamba3({ features: F, states: 4, headWidth: 4 }),
  layers.lstm({ features: F, hidden: F }),
  layers.gru({ features: F, hidden: F }),
  layers.minGru({ features: F }),
  layers.rgLru({ features: F, heads: 2 }),
  layers.hgrn({ features: F }),
  layers.retention({ features: F, heads: 2 }),
  layers.linearTransformer({ features: F, heads: 2 }),
  layers.performer({ features: F, heads: 2 }),
  layers.gla({ features: F, heads: 2 }),
  layers.deltaNet({ features: F, heads: 2 }),
  layers.gatedDeltaNet({ features: F, heads: 2, keys: 4 }),
  layers.kda({ features: F, heads: 2, keys: 4 }),
  layers.rwkv4Block({ features: F, index: 0, layers: 1 }),
  layers.rwkv6({ features: F, heads: 2 }),
  layers.rwkv7({ features: F, headFeatures: 4 }),
  layers.attention({ features: F, heads: 2, window: 9 }),
  mambaModel({ features: F, layers: 2 }),
  rwkv4Model({ features: F, layers: 2 }),
  jamba({
    features: F,
    layers: 2,
    attention: { period: 2, offset: 1, heads: 2, groups: 1, window: 9 },
    feedForward: 12,
  }),
  attenuate(smallAttenuate),
  cleanUMamba(smallCleanUMamba('mamba')),
  cleanUMamba(smallCleanUMamba('lstm')),
];

/** Frames behind each snapshot that are compared. */
const BEHIND = 3;

function soak(model: Layer, snapshots: number): boolean {
  const parameters = stirred(model, 1);
  // A length, which noise is nothing for.
  for (const [name, values] of parameters) if (name.endsWith('l_kernel')) (values as Float64Array).fill(0);
  const options = { sampleRate: model.sampleRate ?? 16_000 };
  const stream = compile(model, parameters, options);
  const other = compile(model, parameters, options);
  const source = random(3);
  const features = stream.inputChannels;
  const block = (frames: number): Float32Array =>
    Float32Array.from({ length: frames * features }, () => source.uniform(-1, 1));
  let different = 0;
  let last = stream.snapshot();
  for (let i = 0; i < snapshots; i++) {
    stream.push(block(source.integer(12)));
    const saved = stream.snapshot();
    other.push(block(source.integer(5)));
    other.restore(saved);
    const input = block(BEHIND);
    const [wanted, got] = [stream.push(input), other.push(input)];
    wanted.forEach((value, k) => {
      if (!Object.is(value, got[k])) different++;
    });
    last = stream.snapshot();
    const again = other.snapshot();
    for (let k = 0; k < last.length; k++) if (last[k] !== again[k]) different++;
  }
  console.log(
    `${different === 0 ? 'ok  ' : 'FAIL'} ${model.name}: ${snapshots} snapshots of ${last.length} bytes, ` +
      `${stream.framesSeen} frames, ${different} differences`,
  );
  return different === 0;
}

const count = Number(process.argv[2] ?? '1000');
if (!Number.isSafeInteger(count) || count < 1) {
  console.error(`snapshots is ${process.argv[2]}; give a whole number such as 1000`);
  process.exit(2);
}
const passed = subjects.map((model) => soak(model, count));
process.exit(passed.every(Boolean) ? 0 : 1);
