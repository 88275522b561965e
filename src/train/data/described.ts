import type { BatchSource } from './source.ts';

/** Which source, and with which options: JSON, so that configuration files and worker threads can carry it. */
export interface SourceDescription {
  /** `clips`, `denoise`, `mnist` …: see `openSource`. */
  readonly kind: string;
  readonly [option: string]: unknown;
}

/** What a source knows about its data that a model card, or a program, wants: JSON. */
export interface SourceFacts {
  /** Hz */
  readonly sampleRate?: number | undefined;
  /** Names of the classes, in the order of their numbers. */
  readonly classes?: readonly string[] | undefined;
  /** Recordings or sequences that are drawn from. */
  readonly items?: number | undefined;
  /** Files that were left out, and why. */
  readonly skipped?: readonly string[] | undefined;
  readonly [fact: string]: unknown;
}

/** A source that holds something: files, a worker. */
export interface DataSource extends BatchSource {
  readonly facts: SourceFacts;
  /** Lets go of files and threads. Harmless twice. */
  close(): Promise<void>;
}
