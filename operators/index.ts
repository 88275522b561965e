export { ssm, type SsmOperator, type Streamed } from './ssm/ssm.ts';
export type { ControlChange, SsmOptions } from './ssm/options.ts';
export { fixedOperatorFor, operatorFor } from './ssm/operator-for.ts';
export * from './layers.ts';
export { irregular, type IrregularOptions, type IrregularRun, type IrregularState } from './irregular.ts';
export type { Reading, TimelineNote, TimelineOptions } from './irregular/timeline.ts';
export { keyed, type KeyedOperator, type KeyedOperatorOptions } from './keyed/keyed.ts';
export { adapt, type AdaptOptions, type Adapted, type Example } from './adapt.ts';
export { abortable } from './core/abortable.ts';
export { formatOf, withFormat, type BlockFormat } from './core/format.ts';
export { hold, deliver } from './core/pace.ts';
export { operate, type Transformer } from './core/operate.ts';
export { chunk } from './framing/chunk.ts';
export { takeFrames } from './framing/take-frames.ts';
export { resample, type ResampleOptions } from './resample.ts';
export { frame, type Framed, type FrameOptions } from './framing/frame.ts';
export { overlapAdd, type OverlapAddOptions } from './framing/overlap-add.ts';
export type { Window } from './framing/window.ts';
export { deinterleave, interleave } from './channels/planar.ts';
export { mapChannels, mono } from './channels/map-channels.ts';
export { fromWav, wavInfo, type FromWavOptions } from './sources/from-wav.ts';
export {
  fromMicrophone,
  type FromMicrophoneOptions,
  type Microphone,
  type MicrophoneOptions,
} from './sources/from-microphone.ts';
export { fromAsyncIterable } from './sources/from-async-iterable.ts';
export { fromCsv, type CsvRow, type FromCsvOptions } from './sources/from-csv.ts';
export { fromJsonLines, type FromJsonLinesOptions } from './sources/from-json-lines.ts';
export { fromLines } from './sources/from-lines.ts';
export { fromMqtt, type MqttMessage, type MqttOptions } from './sources/from-mqtt.ts';
export type { BadLine, BadLineOptions, TextInput } from './sources/text-input.ts';
export { toLines, type LinesWritten, type ToLinesOptions } from './sinks/to-lines.ts';
export { toServerSentEvents } from './sinks/to-server-sent-events.ts';
export { toWebSocket } from './sinks/to-web-socket.ts';
export type { BroadcastReport, ClientReport, SlowPolicy } from './sinks/broadcast.ts';
export type { ServeOptions } from './sinks/serve.ts';
export { toWav, type ToWavOptions, type WavWritten } from './sinks/to-wav.ts';
export { toAsyncIterable, type ToAsyncIterableOptions } from './sinks/to-async-iterable.ts';
export { mapAsync } from './pull/map-async.ts';
export { paced } from './pull/paced.ts';
export { processAsync } from './pull/process-async.ts';
