export { initialise } from './initialise.ts';
export { s4d, type S4dOptions } from './s4d.ts';
export { s4dBlock, type S4BlockOptions } from './s4-block.ts';
export { lti, type LtiOptions, type LtiSystem } from './lti.ts';
export { biquadFilter, filter, type FilterPlacement } from './filter.ts';
export { attention, type AttentionOptions } from './attention.ts';
export { gru, type GruOptions } from './gru.ts';
export { lstm, type LstmOptions } from './lstm.ts';
