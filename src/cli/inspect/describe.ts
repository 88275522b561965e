import { clock } from '../support/progress.ts';
import type { CheckpointReport } from './checkpoint.ts';
import type { Report } from './inspect.ts';
import type { NamReport, RtneuralReport } from './json.ts';
import type { SnapshotReport } from './snapshot.ts';
import type { WavReport } from './wav.ts';

/** A report for people. */
export function describe(report: Report): string {
  const lines = {
    wav: ofWav,
    safetensors: ofCheckpoint,
    pytorch: ofCheckpoint,
    snapshot: ofSnapshot,
    nam: ofNam,
    rtneural: ofRtneural,
  };
  return lines[report.kind](report as never).join('\n');
}

function ofWav(report: WavReport): string[] {
  const { file, container, coding, bitsPerSample, containerBits, channels, sampleRate } = report;
  const spare = bitsPerSample === containerBits || coding === 'ima-adpcm' ? '' : ` in ${containerBits}`;
  const { frames, seconds, extensible, chunks, warnings } = report;
  const others = chunks.filter(({ id }) => id !== 'fmt ' && id !== 'data');
  return [
    `${file}: WAV (${container}${extensible ? ', extensible' : ''})`,
    ...table({
      encoding: `${coding}, ${bitsPerSample}${spare} bits`,
      channels: String(channels),
      rate: `${sampleRate} Hz`,
      length: `${count(frames ?? 0)} frames, ${clock(seconds ?? 0)}`,
      ...(others.length === 0
        ? {}
        : { 'other chunks': others.map(({ id, size }) => `${id.trim()} (${count(size)} bytes)`).join(', ') }),
      ...Object.fromEntries(Object.entries(report.texts).map(([tag, text]) => [tag, short(text)])),
    }),
    ...warnings.map((text) => `  warning: ${text}`),
  ];
}

function ofCheckpoint(report: CheckpointReport): string[] {
  const { kind, file, format, config, parameters, tensors, metadata } = report;
  const { format: _format, config: _config, ...others } = metadata;
  const width = Math.max(0, ...tensors.map(({ name }) => name.length));
  return [
    `${file}: ${kind === 'pytorch' ? 'PyTorch' : kind} checkpoint`,
    ...table({
      format: format ?? 'not stated',
      config:
        config === null ? 'not stated' : short(typeof config === 'string' ? config : JSON.stringify(config)),
      parameters: count(parameters),
      tensors: count(tensors.length),
      ...Object.fromEntries(Object.entries(others).map(([key, value]) => [key, short(value)])),
    }),
    ...tensors.map(
      ({ name, dtype, shape }) =>
        `  ${short(name).padEnd(width)}  ${dtype}  ${shape.join(' × ') || 'scalar'}`,
    ),
  ];
}

function ofNam({
  file,
  architecture,
  version,
  config,
  parameters,
  sampleRate,
  metadata,
}: NamReport): string[] {
  return [
    `${file}: capture of Neural Amp Modeler`,
    ...table({
      architecture: `${short(architecture)}, version ${short(version)}`,
      config: short(JSON.stringify(config)),
      parameters: count(parameters),
      rate: sampleRate === null ? 'not stated' : `${sampleRate} Hz`,
      ...Object.fromEntries(
        Object.entries(metadata).map(([key, value]) => [short(key), short(JSON.stringify(value))]),
      ),
    }),
  ];
}

function ofRtneural({ file, features, layers, parameters, sampleRate }: RtneuralReport): string[] {
  return [
    `${file}: model of RTNeural`,
    ...table({
      channels: String(features),
      parameters: count(parameters),
      rate: sampleRate === null ? 'not stated' : `${sampleRate} Hz`,
      layers: String(layers.length),
    }),
    ...layers.map(({ type, ...sizes }, i) => `  ${i}  ${type}  ${short(JSON.stringify(sizes))}`),
  ];
}

function ofSnapshot({ file, ...report }: SnapshotReport): string[] {
  const state = report.sections.reduce((sum, { bytes }) => sum + bytes, 0);
  const rate = report.sampleRate === null ? 'none' : `${report.sampleRate} Hz`;
  const seconds = report.sampleRate === null ? '' : `, ${clock(report.frames / report.sampleRate)}`;
  return [
    `${file}: snapshot of a stream`,
    ...table({
      model: `${report.model}, hash ${report.hash}`,
      backend: report.backend,
      precision: report.precision,
      rate,
      position: `${count(report.frames)} frames${seconds}${report.ended ? ', ended' : ''}`,
      state: `${count(state)} bytes in ${report.sections.length} sections`,
    }),
  ];
}

function table(rows: Readonly<Record<string, string>>): string[] {
  const width = Math.max(...Object.keys(rows).map((key) => key.length));
  return Object.entries(rows).map(([key, value]) => `  ${key.padEnd(width)}  ${value}`);
}

const count = (value: number): string => value.toLocaleString('en');

/** Texts from files: on one line, and not for ever. Control characters do not reach the terminal. */
function short(text: string): string {
  const line = text.replace(/[\p{Cc}\s]+/gu, ' ');
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
