import type { KV } from '@nats-io/kv';

/** What is known of a key of the bucket, and since when it has been so, by this machine's own clock. */
interface Seen {
  readonly owner: string;
  readonly revision: number;
  readonly since: number;
}

/**
 * Who owns what, by leases in a bucket: an owner rewrites its keys again and again, and a key that nobody has rewritten
 * for `expiry` milliseconds is free. Each worker measures that with its own clock, from the moment when it saw the key
 * change; no clocks are compared. Taking a lease is a conditional write, so that one of several wins.
 *
 * A lease decides who works, not who may write: for that the records of the partitions have revisions of their own.
 */
export class Leases {
  readonly #bucket: KV;
  readonly #owner: string;
  readonly #expiry: number;
  readonly #seen = new Map<string, Seen>();
  #watch: { stop(): void } | undefined;

  constructor(bucket: KV, owner: string, expiry: number) {
    this.#bucket = bucket;
    this.#owner = owner;
    this.#expiry = expiry;
  }

  /** Follows the bucket. */
  async open(): Promise<void> {
    const watch = await this.#bucket.watch();
    this.#watch = watch;
    void (async () => {
      for await (const { key, revision, operation, value } of watch) {
        if ((this.#seen.get(key)?.revision ?? 0) >= revision) continue;
        const owner = operation === 'PUT' ? new TextDecoder().decode(value) : '';
        this.#seen.set(key, { owner, revision, since: performance.now() });
      }
    })().catch(() => {});
  }

  /** Who holds a key; undefined where nobody does any more. */
  ownerOf(key: string): string | undefined {
    const seen = this.#seen.get(key);
    if (seen === undefined || seen.owner === '' || performance.now() - seen.since > this.#expiry)
      return undefined;
    return seen.owner;
  }

  /** Keys with this beginning that somebody holds. */
  held(prefix: string): string[] {
    return [...this.#seen.keys()].filter((key) => key.startsWith(prefix) && this.ownerOf(key) !== undefined);
  }

  /** Takes a free key or renews one's own. False where somebody else was faster. */
  async hold(key: string): Promise<boolean> {
    const owner = this.ownerOf(key);
    if (owner !== undefined && owner !== this.#owner) return false;
    const revision = this.#seen.get(key)?.revision ?? 0;
    try {
      const next = await this.#bucket.put(key, this.#owner, { previousSeq: revision });
      this.#seen.set(key, { owner: this.#owner, revision: next, since: performance.now() });
      return true;
    } catch {
      return false;
    }
  }

  /** Gives a key of one's own back. */
  async release(key: string): Promise<void> {
    const seen = this.#seen.get(key);
    if (seen?.owner !== this.#owner) return;
    await this.#bucket.delete(key, { previousSeq: seen.revision }).catch(() => {});
  }

  close(): void {
    this.#watch?.stop();
  }
}
