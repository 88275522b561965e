/** What the thread that trains and those that make its batches say to one another. */
import * as errors from '../../../errors.ts';
import type { Batch } from '../../session.ts';
import type { SourceFacts } from '../described.ts';

/** Asks for a batch; `id` comes back with it. */
export interface Request {
  readonly id: number;
  readonly epoch: number;
  readonly number: number;
}

export interface PackedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

export type Reply =
  | {
      readonly kind: 'open';
      readonly targets: readonly string[];
      readonly batchesPerEpoch: number;
      readonly facts: SourceFacts;
    }
  | { readonly kind: 'batch'; readonly id: number; readonly batch: Batch }
  | { readonly kind: 'error'; readonly id: number | undefined; readonly error: PackedError };

export function packError(error: unknown): PackedError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { name, message, stack };
}

/** The error of the other thread, of the class that it had there. */
export function unpackError({ name, message, stack }: PackedError): Error {
  const known = (errors as Record<string, unknown>)[name];
  const error =
    typeof known === 'function' ? new (known as new (message: string) => Error)(message) : new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** The memory of a batch, which goes over without being copied. */
export const memoryOf = (batch: Batch): ArrayBuffer[] => [
  ...new Set(
    [...Object.values(batch.inputs), ...Object.values(batch.targets)].map(
      ({ buffer }) => buffer as ArrayBuffer,
    ),
  ),
];
