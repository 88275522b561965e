import { readNam, readRtneural } from '../../checkpoint/index.ts';
import { rtneural, rtneuralLayers, type RtneuralStructure } from '../../models/rtneural.ts';
import { jsonKindOf } from '../support/json-kind.ts';

/** What `inspect` says of a capture of Neural Amp Modeler. */
export interface NamReport {
  readonly kind: 'nam';
  readonly file: string;
  readonly bytes: number;
  readonly version: string;
  readonly architecture: string;
  readonly config: unknown;
  /** Numbers in the list of weights. */
  readonly parameters: number;
  /** Hz, or null where the file does not say. */
  readonly sampleRate: number | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What `inspect` says of a model of RTNeural. */
export interface RtneuralReport {
  readonly kind: 'rtneural';
  readonly file: string;
  readonly bytes: number;
  readonly parameters: number;
  /** Hz, or null where the file does not say. */
  readonly sampleRate: number | null;
  /** Numbers in an input frame. */
  readonly features: number;
  readonly layers: readonly RtneuralStructure[];
}

/** @throws FormatError, GraphError as the readers of these files. */
export function inspectJson(data: Buffer, file: string): NamReport | RtneuralReport {
  const common = { file, bytes: data.length };
  if (jsonKindOf(data) === 'nam') {
    const { version, architecture, config, weights, sampleRate = null, metadata } = readNam(data, file);
    return {
      kind: 'nam',
      ...common,
      version,
      architecture,
      config,
      parameters: weights.length,
      sampleRate,
      metadata,
    };
  }
  const model = readRtneural(data.toString('utf8'), { source: file });
  const { features, layers, sampleRate = null } = rtneuralLayers(model);
  const parameters = [...rtneural(model).parameters.values()].reduce((sum, { length }) => sum + length, 0);
  return { kind: 'rtneural', ...common, parameters, sampleRate, features, layers };
}
