import type { Command } from 'commander';
import type { WavEncoding } from '../../audio/index.ts';
import type { Precision } from '../../signal/index.ts';
import type { NonFinitePolicy } from '../../stream/index.ts';
import { finite, oneOf, wholeUpTo } from '../support/options.ts';

/** How samples may be written. */
const ENCODINGS = ['pcm8', 'pcm16', 'pcm24', 'pcm32', 'float32', 'float64'] as const;

/** Bare samples by the names that ffmpeg and sox have for them. */
const RAW_FORMATS = ['u8', 's16le', 's24le', 's32le', 'f32le', 'f64le'] as const;

/** A checkpoint, and what it does not say itself. */
export interface ModelOptions {
  readonly model?: string;
  readonly format?: string;
  readonly config?: string;
  readonly root?: string;
}

/** What every verb that runs a recording through something takes, as commander parses it. */
export interface RunOptions {
  readonly mono?: boolean;
  readonly resample?: boolean;
  readonly block: number;
  readonly precision: Precision;
  readonly backend?: 'reference' | 'wasm';
  readonly nonfinite: NonFinitePolicy;
  readonly encoding?: WavEncoding;
  readonly float?: boolean;
  readonly dither?: boolean;
  readonly gain?: number;
  readonly raw?: (typeof RAW_FORMATS)[number];
  readonly rate?: number;
  readonly channels?: number;
  readonly json?: boolean;
}

/** What a checkpoint does not say itself. */
export const withModelOptions = (command: Command): Command =>
  command
    .option('--format <name>', "the model's architecture, where the file does not say")
    .option('--config <json|file>', "the model's configuration, where the file does not say")
    .option('--root <keys>', 'of a PyTorch checkpoint: the keys to the model, joined by dots');

/** How it runs. */
export const withRunOptions = (command: Command): Command =>
  command
    .option('--mono', 'mix all channels down first; otherwise each has a state of its own')
    .option('--block <frames>', 'frames a time', wholeUpTo(1 << 20), 2048)
    .addOption(
      oneOf('--precision <name>', 'of signals and state', ['auto', 'float32', 'float64']).default('auto'),
    )
    .addOption(oneOf('--backend <name>', 'where it computes (default: the fastest)', ['reference', 'wasm']))
    .addOption(
      oneOf('--nonfinite <policy>', 'what to do about NaN and infinities', [
        'throw',
        'hold',
        'zero',
        'reset',
      ]).default('throw'),
    );

/** Input and output. */
export const withFileOptions = (command: Command): Command =>
  command
    .optionsGroup('Input and output:')
    .addOption(oneOf('--encoding <name>', "of the output (default: the input's)", ENCODINGS))
    .option('--float', 'short for --encoding float32')
    .option('--dither', 'triangular noise of one step before rounding to PCM')
    .option('--gain <dB>', 'on the output', finite)
    .addOption(oneOf('--raw <format>', 'the input is bare samples, with --rate and --channels', RAW_FORMATS))
    .option('--rate <hz>', 'of raw input', wholeUpTo(0xffff_ffff))
    .option('--channels <n>', 'of raw input (default: 1)', wholeUpTo(65_535))
    .option('--json', 'print what was done as JSON');
