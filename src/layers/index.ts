export { initialise } from './initialise.ts';
export { s4d, type S4dOptions } from './s4d.ts';
export { s4dBlock, type S4BlockOptions } from './s4-block.ts';
export { lti, type ControlledSystem, type LtiOptions, type LtiSystem } from './lti.ts';
export { biquadFilter, filter, type FilterPlacement } from './filter.ts';
export { attention, type AttentionOptions } from './attention.ts';
export { gru, type GruOptions } from './gru.ts';
export { lstm, type LstmOptions } from './lstm.ts';
export { lru, type LruOptions } from './lru.ts';
export { minGru, type MinGruOptions } from './min-gru.ts';
export { rgLru, type RgLruOptions } from './rg-lru.ts';
export { rwkv4Block, type Rwkv4Options } from './rwkv4.ts';
export { rwkv6, rwkv6Recurrence, type Rwkv6Operands, type Rwkv6Options } from './rwkv6.ts';
export { rwkv7, rwkv7Ranks, rwkv7TimeMix, type Rwkv7Options, type Rwkv7Ranks } from './rwkv7.ts';
export { s5, type S5Options } from './s5.ts';
export { mamba2, type Mamba2Options } from './mamba2.ts';
export { mamba3, type Mamba3Options } from './mamba3.ts';
export { retention, type RetentionForm, type RetentionOptions } from './retention.ts';
export { s4, type S4Options } from './s4.ts';
export { deltaNet, type DeltaNetOptions } from './delta-net.ts';
export { flaRetention, type FlaRetentionOptions } from './fla-retention.ts';
export { gatedDeltaNet, type GatedDeltaNetOptions } from './gated-delta-net.ts';
export { gla, type GlaOptions } from './gla.ts';
export { hgrn, type HgrnOptions } from './hgrn.ts';
export { kda, type KdaOptions } from './kda.ts';
export { linearAttention, type LinearAttentionOptions } from './linear-attention.ts';
export { linearTransformer, type LinearTransformerOptions } from './linear-transformer.ts';
export { performer, type PerformerOptions } from './performer.ts';
export { continuousLti, type ContinuousLtiOptions } from './continuous-lti.ts';
export { mamba, type MambaOptions } from './mamba.ts';
export {
  bidirectional,
  visionMamba,
  type BidirectionalOptions,
  type VisionMambaOptions,
} from './bidirectional.ts';
export { dropout, type DropoutLayerOptions } from './dropout.ts';
export { leakyMemory, type LeakyMemoryOptions } from './leaky-memory.ts';
export {
  resonance,
  resonator,
  resonatorControls,
  type ResonatorOptions,
  type ResonatorType,
} from './resonator.ts';
