/**
 * What is done to each line of a file, or to each message. Everything that it remembers is in `snapshot`; what takes its
 * time is waited for, and nothing else is asked of the job meanwhile.
 */
export interface Job<Input> {
  /** Names the model, its weights and the settings; state of another identity is refused. */
  readonly identity: string;
  /** The text that follows from one more input, with its ends of line; may be empty. */
  take(input: Input): string | Promise<string>;
  /** The text that follows from there being no more. */
  end(): string | Promise<string>;
  snapshot(): Uint8Array | Promise<Uint8Array>;
  restore(state: Uint8Array): void | Promise<void>;
  /** Instead of `restore` where nothing was saved yet: what an earlier run left elsewhere (a store) has to go. */
  begin?(): void | Promise<void>;
}

/** Takes lines, without their ends. */
export type LineJob = Job<string>;
