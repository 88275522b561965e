import * as layers from '../src/layers/index.ts';
import { fixedOperatorFor, operatorFor } from './ssm/operator-for.ts';

// One line a layer: an operator has no body of its own, see `operatorFor`.

/** `source.pipe(s4d({ features: 4 }, parameters))` */
export const s4d = operatorFor(layers.s4d);
/** `source.pipe(s4dBlock({ features: 4 }, parameters))` */
export const s4dBlock = operatorFor(layers.s4dBlock);
/** `source.pipe(lti({ b: [1], a: [0.01, 1] }, { domain: 'continuous' }, { sampleRate: 1000 }))` */
export const lti = fixedOperatorFor(layers.lti);
/** The layer `filter` under a name that RxJS leaves free: `source.pipe(frequencyFilter({ family: 'butterworth', … }))` */
export const frequencyFilter = fixedOperatorFor(layers.filter);
/** `source.pipe(biquadFilter([{ type: 'notch', frequency: 50, Q: 30 }]))` */
export const biquadFilter = fixedOperatorFor(layers.biquadFilter);
/** `source.pipe(resonator({ frequency: 800, damping: 0.05 }, undefined, { controls }))` */
export const resonator = fixedOperatorFor((config: layers.ResonatorOptions) => layers.resonator(config));
/** `source.pipe(attention({ features: 64, heads: 4, window: 256 }, parameters))` */
export const attention = operatorFor(layers.attention);
/** `source.pipe(lstm({ features: 1, hidden: 16 }, parameters))` */
export const lstm = operatorFor(layers.lstm);
/** `source.pipe(gru({ features: 1, hidden: 16 }, parameters))` */
export const gru = operatorFor(layers.gru);
/** `source.pipe(s5({ features: 8, states: 64 }, parameters))` */
export const s5 = operatorFor(layers.s5);
/** `source.pipe(lru({ features: 6, states: 32 }, parameters))` */
export const lru = operatorFor(layers.lru);
/** `source.pipe(minGru({ features: 16, expansion: 1.5 }, parameters))` */
export const minGru = operatorFor(layers.minGru);
/** `source.pipe(rgLru({ features: 16, heads: 4 }, parameters))` */
export const rgLru = operatorFor(layers.rgLru);
/** `source.pipe(mamba2({ features: 64, states: 32, headWidth: 16 }, parameters))` */
export const mamba2 = operatorFor(layers.mamba2);
/** `source.pipe(mamba3({ features: 64, states: 32, headWidth: 16 }, parameters))` */
export const mamba3 = operatorFor(layers.mamba3);
/** `source.pipe(retention({ features: 64, heads: 4 }, parameters))` */
export const retention = operatorFor(layers.retention);
/** `source.pipe(s4({ features: 4, init: 'legt' }, parameters))` */
export const s4 = operatorFor(layers.s4);
/** `source.pipe(flaRetention({ features: 64, heads: 4 }, parameters))` */
export const flaRetention = operatorFor(layers.flaRetention);
/** `source.pipe(linearAttention({ features: 64, heads: 4 }, parameters))` */
export const linearAttention = operatorFor(layers.linearAttention);
/** `source.pipe(gla({ features: 64, heads: 2 }, parameters))` */
export const gla = operatorFor(layers.gla);
/** `source.pipe(deltaNet({ features: 64, heads: 2 }, parameters))` */
export const deltaNet = operatorFor(layers.deltaNet);
/** `source.pipe(gatedDeltaNet({ features: 64, heads: 2, keys: 32 }, parameters))` */
export const gatedDeltaNet = operatorFor(layers.gatedDeltaNet);
/** `source.pipe(kda({ features: 64, heads: 2, keys: 32 }, parameters))` */
export const kda = operatorFor(layers.kda);
/** `source.pipe(hgrn({ features: 64 }, parameters))` */
export const hgrn = operatorFor(layers.hgrn);
/** `source.pipe(rwkv4Block({ features: 8, index: 0, layers: 1 }, parameters))` */
export const rwkv4Block = operatorFor(layers.rwkv4Block);
/** `source.pipe(rwkv6({ features: 8, heads: 2 }, parameters))` */
export const rwkv6 = operatorFor(layers.rwkv6);
/** `source.pipe(rwkv7({ features: 8, headFeatures: 4 }, parameters))` */
export const rwkv7 = operatorFor(layers.rwkv7);
/** `source.pipe(linearTransformer({ features: 64, heads: 4 }, parameters))` */
export const linearTransformer = operatorFor(layers.linearTransformer);
/** `source.pipe(performer({ features: 64, heads: 4 }, parameters))` */
export const performer = operatorFor(layers.performer);
/** `source.pipe(continuousLti({ b: [1], a: [30, 1] }, {}, { irregular: true }))` */
export const continuousLti = fixedOperatorFor(layers.continuousLti);
/** `source.pipe(mamba({ features: 64 }, parameters))` */
export const mamba = operatorFor(layers.mamba);
