/** Jobs that a crash costs nothing. */
export { writeAtomically } from './atomic-file.ts';
export { packCheckpoint, unpackCheckpoint, type Checkpoint } from './checkpoint.ts';
export { runDurably, type DurableOptions, type DurableReport, type LineJob } from './run.ts';
export { streamJob, type StreamJobOptions } from './stream-job.ts';
