/** Where the bytes go. */
export interface Sink {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Ends the data; `header` belongs at the start, where that can still be reached. */
  close(header: () => Uint8Array, padding: boolean): Promise<void>;
  closeNow(header: () => Uint8Array, padding: boolean): void;
  abort(): Promise<void>;
}
