import { FormatError, SnapshotError } from '../../errors.ts';

/** Names the file in what its reader says of the bytes, where it does not do so itself. */
export async function located<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const ofBytes = error instanceof FormatError || error instanceof SnapshotError;
    // The class stays as it is, and so does the stack.
    if (ofBytes && !error.message.includes(file)) error.message = `${file}: ${error.message}`;
    throw error;
  }
}
