import { Unavailable } from '../contest.ts';

/**
 * A peer's module. Its types are declared here by whoever uses it, since the peers are installed by `npm run bench`
 * alone and the project has to type-check without them.
 *
 * @throws Unavailable where it is not installed or does not load.
 */
export async function loadPeer<T>(name: string): Promise<T> {
  try {
    return (await import(name)) as T;
  } catch (cause) {
    const reason = (cause as Error).message.split('\n')[0]!;
    throw new Unavailable(`${name} does not load: ${reason}`, { cause });
  }
}
