/** What is done with the readings of one partition's sensors. Everything that it remembers is in `snapshot`. */
export interface PartitionJob {
  /** Names the model, its weights and the settings; a record of another identity is refused. */
  readonly identity: string;
  /** The results that follow from one more reading. The same state and reading give the same bytes. */
  take(sensor: string, reading: Uint8Array): readonly Result[];
  snapshot(): Uint8Array;
  restore(state: Uint8Array): void;
}

export interface Result {
  readonly sensor: string;
  readonly data: Uint8Array;
}
