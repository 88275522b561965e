import type { WavInfo } from '../../audio/index.ts';
import { ArgumentError } from '../../errors.ts';
import { sizeOf, traceModel, type Model } from '../../signal/index.ts';
import type { RunOptions } from './options.ts';

/** Rates (Hz) and channels on the way from the file to the file. */
export interface Plan {
  readonly fileRate: number;
  /** Where the model runs: the file's, or with `--resample` its own. */
  readonly modelRate: number;
  readonly outputRate: number;
  /** Rate of the model's output where it runs. */
  readonly modelOutputRate: number;
  /** Into the model, after mixing down. */
  readonly channels: number;
  readonly outputChannels: number;
  /** Output frames that belong to so many input frames. */
  outputFrames(inputFrames: number): number;
}

/**
 * What follows from the file, the model's shape and the options, before anything runs.
 *
 * @throws ArgumentError for a model that does not fit the file's channels, or whose output no WAV can hold.
 */
export function planRun(info: WavInfo, model: Model, options: RunOptions): Plan {
  const graph = traceModel(model);
  const [[port, input], ...others] = [...graph.inputs] as [
    [string, { shape: readonly number[] }],
    ...[string, unknown][],
  ];
  if (others.length > 0) {
    throw new ArgumentError(
      `${graph.name} has the inputs ${[port, ...others.map(([name]) => name)].join(', ')}, a file is one; use compile() in a program`,
    );
  }
  const width = sizeOf(input.shape);
  const channels = options.mono === true ? 1 : info.channels;
  if (width !== 1 && width !== channels) {
    const mono = options.mono === true ? ', mixed down to 1' : '';
    throw new ArgumentError(
      `${graph.name} takes ${width} channels, the file has ${info.channels}${mono}; give a file of ${width} channels, or a model of 1`,
    );
  }
  const [output] = graph.outputs.values();
  const { numerator, denominator } = output!.rate as { numerator: number; denominator: number };
  const fileRate = info.sampleRate;
  const modelRate = options.resample === true ? (model.sampleRate ?? fileRate) : fileRate;
  const outputRate = (fileRate * numerator) / denominator;
  const modelOutputRate = (modelRate * numerator) / denominator;
  for (const rate of [outputRate, modelOutputRate]) {
    if (!Number.isInteger(rate)) {
      throw new ArgumentError(
        `${graph.name} gives ${numerator}/${denominator} frames for each it takes: ${rate} Hz from ${fileRate} Hz, ` +
          'and a WAV file needs a whole number; resample the file to a multiple first',
      );
    }
  }
  return {
    fileRate,
    modelRate,
    outputRate,
    modelOutputRate,
    channels,
    outputChannels: (channels / width) * sizeOf(output!.shape),
    outputFrames: (frames) => Math.ceil((frames * numerator) / denominator),
  };
}
