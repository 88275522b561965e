import type { Walk } from './header.ts';
import type { ByteSource } from './source.ts';

const NOTHING = new Uint8Array(0);

/** Runs a walk over a source. */
export async function drive<T>(walk: Walk<T>, bytes: ByteSource): Promise<T> {
  let step = walk.next();
  while (step.done !== true) {
    const { op, n } = step.value;
    let answer: Uint8Array = NOTHING;
    if (op === 'read') answer = await bytes.read(n);
    else if (op === 'skip') await bytes.skip(n);
    else bytes.unread(n);
    step = walk.next(answer);
  }
  return step.value;
}

/** Runs a walk over bytes in memory, from `position` on. */
export function driveSync<T>(walk: Walk<T>, bytes: Uint8Array, position: number): T {
  let step = walk.next();
  while (step.done !== true) {
    const { op, n } = step.value;
    let answer: Uint8Array = NOTHING;
    if (op === 'read') {
      answer = bytes.subarray(position, position + n);
      position += answer.length;
    } else if (op === 'skip') position += n;
    else position -= n;
    step = walk.next(answer);
  }
  return step.value;
}
