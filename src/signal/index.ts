export * from './shape.ts';
export * from './rate.ts';
export * from './timing.ts';
export * from './schedule.ts';
export * from './op.ts';
export * from './graph.ts';
export * from './model.ts';
