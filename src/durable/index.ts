/** Jobs that a crash costs nothing. */
export { writeAtomically } from './atomic-file.ts';
export { packCheckpoint, unpackCheckpoint, type Checkpoint } from './checkpoint.ts';
export type { Job, LineJob } from './job.ts';
export { keyedJob, type KeyedJobOptions } from './keyed-job.ts';
export {
  consumeDurably,
  type ConsumeOptions,
  type ConsumeNote,
  type ConsumeReport,
  type Delivery,
  type Message,
} from './consume.ts';
export { runDurably, type DurableOptions, type DurableReport } from './run.ts';
export { streamJob, type StreamJobOptions } from './stream-job.ts';
export { openMqtt, type MqttConsumer, type MqttDelivery, type MqttOptions } from '../mqtt/index.ts';
