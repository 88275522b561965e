export * from './shape.ts';
export * from './rate.ts';
export * from './timing.ts';
export * from './schedule.ts';
export * from './op.ts';
export { defineOp, opByName } from './op-registry.ts';
export * from './graph.ts';
export * from './model.ts';
export { constantName, packGraph, unpackGraph, type PackedGraph } from './wire.ts';
