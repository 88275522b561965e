import { randomUUID } from 'node:crypto';
import type { ConnectionOptions, NatsConnection } from '@nats-io/transport-node';
import type { PartitionJob } from './job.ts';
import { Leases } from './leases.ts';
import { loadNats } from './nats.ts';
import { Partition, type PartitionContext } from './partition.ts';
import { createTopology, type Topology } from './topology.ts';

export interface WorkerOptions {
  readonly topology: Topology;
  /** The job of a partition, fresh. */
  readonly job: (partition: number) => PartitionJob;
  /** As the client of NATS takes them: `servers`, credentials, TLS. */
  readonly connection?: ConnectionOptions;
  readonly id?: string;
  /** Milliseconds between two signs of life; 1,000. */
  readonly heartbeat?: number;
  /** Milliseconds without one after which a worker's partitions are free; 5,000. */
  readonly expiry?: number;
  /** Milliseconds between two saves of a partition; 500. */
  readonly saveEvery?: number;
  /** Readings of a partition after which it is saved at the latest; 5,000. */
  readonly saveAfter?: number;
  readonly onEvent?: (event: WorkerEvent) => void;
}

export interface WorkerEvent {
  readonly kind: 'took' | 'gave' | 'lost';
  readonly partition: number;
  /** Of a partition that was lost. */
  readonly error?: unknown;
}

export interface Worker {
  readonly id: string;
  /** Partitions in its hands. */
  readonly partitions: readonly number[];
  /** Gives everything back, saved, and leaves. */
  stop(): Promise<void>;
  /** Settles when the worker has left; rejects where its connection broke. */
  readonly closed: Promise<void>;
}

/**
 * A worker: takes its share of the partitions, works on them, gives some back when others come and takes over what
 * others leave. Any number may run, anywhere; each partition has one owner whose writes count.
 *
 * A worker whose connection breaks ends (`closed` rejects) instead of coming back with old results in its hands; start
 * another. Broken means: closed, or without an answer to two signs of life.
 *
 * @throws BackendError without the packages of NATS; ArgumentError for a topology that can't be.
 * @example
 * const worker = await startWorker({ topology: { name: 'pumps', partitions: 64 }, job: () => pumpJob() });
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { topology, heartbeat = 1000, expiry = 5000, id = randomUUID() } = options;
  const nats = await loadNats();
  const connection = await nats.connect({
    ...options.connection,
    reconnect: false,
    pingInterval: heartbeat,
    maxPingOut: 2,
  });
  const { state, owners } = await createTopology(connection, topology);
  const context: PartitionContext = {
    nats,
    manager: await nats.jetstreamManager(connection),
    client: nats.jetstream(connection, { timeout: expiry }),
    state,
    topology,
    saveEvery: options.saveEvery ?? 500,
    saveAfter: options.saveAfter ?? 5000,
  };
  const leases = new Leases(owners, id, expiry);
  await leases.open();
  const crew = new Crew(options, context, leases, id);
  const closed = run(connection, crew, leases, heartbeat);
  closed.catch(() => {});
  return {
    id,
    get partitions() {
      return crew.partitions;
    },
    async stop() {
      await crew.leave();
      await closed;
    },
    closed,
  };
}

async function run(connection: NatsConnection, crew: Crew, leases: Leases, heartbeat: number): Promise<void> {
  const broken = connection.closed().then((error) => {
    if (!crew.left) throw error ?? new Error('the connection was closed');
  });
  // The race below tells; after it nobody listens.
  broken.catch(() => {});
  try {
    while (!crew.left) {
      await Promise.race([crew.tend(), broken]);
      await Promise.race([new Promise((resolve) => setTimeout(resolve, heartbeat)), broken, crew.leaving]);
    }
  } finally {
    crew.abandon();
    leases.close();
    await connection.close().catch(() => {});
  }
}

/** The partitions of one worker. */
class Crew {
  readonly #options: WorkerOptions;
  readonly #context: PartitionContext;
  readonly #leases: Leases;
  readonly #self: string;
  readonly #owned = new Map<number, Partition>();
  readonly leaving: Promise<void>;
  #leave!: () => void;
  left = false;
  #tending: Promise<void> = Promise.resolve();

  constructor(options: WorkerOptions, context: PartitionContext, leases: Leases, id: string) {
    this.#options = options;
    this.#context = context;
    this.#leases = leases;
    this.#self = `worker.${id}`;
    this.leaving = new Promise((resolve) => (this.#leave = resolve));
  }

  get partitions(): number[] {
    return [...this.#owned.keys()].sort((a, b) => a - b);
  }

  /** A sign of life for everything that is held; then towards one's share. */
  tend(): Promise<void> {
    this.#tending = this.#tending.then(() => this.#tend());
    return this.#tending;
  }

  async #tend(): Promise<void> {
    if (this.left) return;
    const { topology } = this.#context;
    await this.#leases.hold(this.#self);
    for (const [index, partition] of this.#owned) {
      if (!(await this.#leases.hold(leaseOf(index))))
        this.#lose(index, partition, new Error('the lease has expired'));
    }
    const workers = Math.max(1, this.#leases.held('worker.').length);
    const share = Math.ceil(topology.partitions / workers);
    for (const index of this.partitions.slice(share)) await this.#give(index);
    // From a place of one's own, so that workers that start together do not all reach for the same.
    const first = Math.floor(Math.random() * topology.partitions);
    for (let i = 0; i < topology.partitions && this.#owned.size < share && !this.left; i++) {
      const index = (first + i) % topology.partitions;
      if (this.#owned.has(index) || this.#leases.ownerOf(leaseOf(index)) !== undefined) continue;
      if (await this.#leases.hold(leaseOf(index))) await this.#take(index);
    }
  }

  async #take(index: number): Promise<void> {
    try {
      const partition = await Partition.take(this.#context, index, this.#options.job(index));
      this.#owned.set(index, partition);
      this.#options.onEvent?.({ kind: 'took', partition: index });
      partition.run().catch((error: unknown) => this.#lose(index, partition, error));
    } catch (error) {
      await this.#leases.release(leaseOf(index));
      this.#options.onEvent?.({ kind: 'lost', partition: index, error });
    }
  }

  async #give(index: number): Promise<void> {
    const partition = this.#owned.get(index)!;
    this.#owned.delete(index);
    try {
      await partition.stop();
      this.#options.onEvent?.({ kind: 'gave', partition: index });
    } catch (error) {
      this.#options.onEvent?.({ kind: 'lost', partition: index, error });
    }
    await this.#leases.release(leaseOf(index));
  }

  #lose(index: number, partition: Partition, error: unknown): void {
    if (this.#owned.get(index) !== partition) return;
    this.#owned.delete(index);
    partition.abandon();
    this.#options.onEvent?.({ kind: 'lost', partition: index, error });
  }

  /** Gives everything back. */
  async leave(): Promise<void> {
    await this.#tending.catch(() => {});
    this.left = true;
    for (const index of this.partitions) await this.#give(index);
    await this.#leases.release(this.#self);
    this.#leave();
  }

  /** Lets everything go as it is. */
  abandon(): void {
    for (const partition of this.#owned.values()) partition.abandon();
    this.#owned.clear();
  }
}

const leaseOf = (index: number): string => `partition.${index}`;
