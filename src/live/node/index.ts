export { listDevices, findDevice } from './devices.ts';
export { openMicrophone, type Microphone, type MicrophoneOptions } from './microphone.ts';
export { probe, type Probed, type ProbeRequest } from './probe.ts';
export { startLive, type LiveOptions, type LiveSession, type LiveStatus } from './session.ts';
export type { LiveModel, ModelFactory, ModelInfo, ModelModule } from './model-messages.ts';
export type { Click, ClickHeard } from './tap-options.ts';
export type { DeviceInfo } from './web-audio.ts';
