import type { StreamBackend } from '../backends/backend.ts';
import type { Model, Precision } from '../signal/index.ts';
import type { Parameters } from '../stream/index.ts';
import type { Deviation } from './compare.ts';
import type { Golden } from './golden.ts';

/** How the runner was asked to run. */
export interface Settings {
  readonly backend: StreamBackend;
  /** Undefined: `float64` for what the official code ran in float64, else `auto`. */
  readonly precision: Precision | undefined;
  /** Folder of the published weights that `network` cases need. */
  readonly models: string;
}

/** One way in which a case is compared. */
export interface Way {
  /** The official tensors that are compared. */
  readonly tensors: readonly string[];
  measure(): Deviation | Promise<Deviation>;
}

/** A way that the metadata do not ask for, since something else in the file can be compared. */
export interface Extra extends Way {
  readonly tolerance: number;
}

/** A golden file that a family has taken. */
export interface Case {
  /** By the name in the metadata's `ways`. */
  readonly ways: Readonly<Record<string, Way>>;
  /** Beyond the metadata's ways: a line each, by name, for those whose tensors the file holds. */
  readonly extras?: Readonly<Record<string, Extra>>;
  /** Tensors that went into the case rather than being compared, beside the inputs, the constants and `param.*`. */
  readonly given?: readonly string[];
}

/** Golden files of one origin. A family is one file in `cases/` and one line in its list. */
export interface Family {
  readonly name: string;
  matches(golden: Golden): boolean;
  /** @throws StatewaveError where the file's configuration or parameters are wrong: every way fails then. */
  open(golden: Golden, settings: Settings): Case | Promise<Case>;
}

/** A model to be run over the official inputs, its outputs held to the official ones. */
export interface Run {
  readonly model: Model;
  readonly parameters: Parameters;
  /** The official tensor of each input port. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The official tensor of each output port that is compared. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly sampleRate?: number | undefined;
  /** The port `dt` takes one time step a frame. */
  readonly irregular?: boolean | undefined;
  /** Instead of what the settings say. */
  readonly precision?: Precision | undefined;
  /** The official code cuts off what its end rule appends; a stream gives it all. */
  readonly cropped?: boolean | undefined;
  /** First frame that is compared; 0 by default. */
  readonly from?: number | undefined;
}

/** What the ways work on. A file may hold several runs of the same input. */
export interface Subject {
  readonly golden: Golden;
  readonly settings: Settings;
  readonly runs: readonly Run[];
}
