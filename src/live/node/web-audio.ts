import { BackendError } from '../../errors.ts';

// What is used of Web Audio; the DOM's types are not among this project's.

export interface AudioNode {
  connect(to: AudioNode): AudioNode;
}

export interface WorkletNode extends AudioNode {
  readonly port: { on(event: 'message', listener: (data: unknown) => void): void };
}

export interface ContextOptions {
  readonly sampleRate?: number;
  readonly latencyHint?: 'balanced' | 'interactive' | 'playback' | number;
  /** A device, or `none`: time passes, and nothing is heard. */
  readonly sinkId?: string | { readonly type: 'none' };
}

export interface Context {
  readonly sampleRate: number;
  readonly renderQuantumSize: number;
  readonly baseLatency: number;
  readonly outputLatency: number;
  readonly destination: AudioNode;
  readonly audioWorklet: { addModule(path: string): Promise<void> };
  createMediaStreamSource(stream: object): AudioNode;
  close(): Promise<void>;
}

export interface DeviceInfo {
  readonly deviceId: string;
  readonly label: string;
  readonly kind: 'audioinput' | 'audiooutput';
}

export interface WebAudio {
  readonly AudioContext: new (options: ContextOptions) => Context;
  readonly AudioWorkletNode: new (context: Context, name: string, options: object) => WorkletNode;
  readonly mediaDevices: {
    enumerateDevices(): Promise<DeviceInfo[]>;
    getUserMedia(constraints: { audio: object }): Promise<object>;
  };
}

/**
 * The package `node-web-audio-api`, loaded when sound is wanted.
 *
 * @throws BackendError that says what is missing: the package, or the system's `libasound.so.2`.
 */
export async function loadWebAudio(): Promise<WebAudio> {
  try {
    return (await import('node-web-audio-api')) as unknown as WebAudio;
  } catch (cause) {
    throw new BackendError(whyNot(cause), { cause });
  }
}

/** What to do about an error of loading. */
function whyNot(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  if (code === 'ERR_MODULE_NOT_FOUND') {
    return 'microphone and loudspeaker need the package "node-web-audio-api": npm install node-web-audio-api';
  }
  const library = /(lib[\w-]+\.so[.\d]*): cannot open/.exec(message)?.[1];
  if (library !== undefined) {
    const cure =
      library === 'libasound.so.2' ? 'install ALSA (Debian, Ubuntu: apt install libasound2)' : 'install it';
    return `node-web-audio-api needs the system's ${library}, which is not here: ${cure}`;
  }
  return `node-web-audio-api does not load here (${message.split('\n')[0]}); it has binaries for Linux (glibc), macOS and Windows`;
}
