/** Thousands of sensors over many workers, on NATS JetStream. */
export type { PartitionJob, Result } from './job.ts';
export { keyedPartitionJob, type KeyedPartitionOptions } from './keyed-job.ts';
export { createSender, type Sender } from './sender.ts';
export { createTopology, partitionOf, type Buckets, type Topology } from './topology.ts';
export { StaleOwnerError } from './partition.ts';
export { startWorker, type Worker, type WorkerEvent, type WorkerOptions } from './worker.ts';
