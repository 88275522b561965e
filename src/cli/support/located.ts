import { FormatError } from '../../errors.ts';

/** Names the file in what its reader says of the bytes, where it does not do so itself. */
export async function located<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof FormatError) || error.message.includes(file)) throw error;
    throw new FormatError(`${file}: ${error.message}`, { cause: error });
  }
}
