/** Learning while streaming: memory bounded, everything learned in the stream's state. */
export { onlineDiagonal, type OnlineDiagonalOptions } from './online-diagonal.ts';
export { onlineReadout, type OnlineReadoutOptions } from './online-readout.ts';
export { learnedParameters } from './learned.ts';
export type { LearningOptions } from './learning-rule.ts';
