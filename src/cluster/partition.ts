import type { ConsumerMessages, JetStreamClient, JetStreamManager, JsMsg } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import { packCheckpoint, unpackCheckpoint } from '../durable/index.ts';
import { StatewaveError } from '../errors.ts';
import type { PartitionJob } from './job.ts';
import type { Nats } from './nats.ts';
import { inputOf, sensorOf, subjectOf, type Topology } from './topology.ts';

/** Somebody else owns the partition now. */
export class StaleOwnerError extends StatewaveError {
  override readonly name = 'StaleOwnerError';
}

export interface PartitionContext {
  readonly nats: Nats;
  readonly manager: JetStreamManager;
  readonly client: JetStreamClient;
  readonly state: KV;
  readonly topology: Topology;
  /** Milliseconds between two saves, while there is something to save. */
  readonly saveEvery: number;
  /** Readings after which is saved at the latest. */
  readonly saveAfter: number;
}

/** Results on their way to the server, at most. */
const IN_FLIGHT = 2000;

/**
 * One partition in the hands of its owner. Readings come in the order of the log; what follows from them is sent under
 * ids made of their numbers; then state and last number are saved in one record, on condition that nobody else has
 * written it since; then the readings are acknowledged.
 *
 * Whoever takes a partition over writes its record first: the owner before, should it still live, fails at its next
 * save and stops. What it has sent meanwhile, the new owner sends again, in the same bytes under the same ids.
 */
export class Partition {
  readonly index: number;
  readonly #context: PartitionContext;
  readonly #job: PartitionJob;
  #revision: number;
  /** Number of the last reading that the state has seen, and of that which is saved. */
  #last: number;
  #saved: number;
  /** Readings that the state has seen, not acknowledged yet. */
  #open: JsMsg[] = [];
  #sent: Promise<unknown>[] = [];
  #messages: ConsumerMessages | undefined;
  #saving: Promise<void> = Promise.resolve();

  private constructor(
    context: PartitionContext,
    index: number,
    job: PartitionJob,
    last: number,
    revision: number,
  ) {
    // prettier-ignore
    this.#context = context;
    this.index = index;
    this.#job = job;
    this.#last = last;
    this.#saved = last;
    this.#revision = revision;
  }

  /** @throws StaleOwnerError where another worker takes it over at the same time; SnapshotError for a record of another model. */
  static async take(context: PartitionContext, index: number, job: PartitionJob): Promise<Partition> {
    const { state, topology } = context;
    const key = recordOf(index);
    const entry = await state.get(key);
    const there = entry !== null && entry.operation === 'PUT' ? entry : undefined;
    const record = there && unpackCheckpoint(there.value, `record ${key} of ${topology.name}`, job.identity);
    if (record) job.restore(record.state);
    const partition = new Partition(context, index, job, record?.input ?? 0, entry?.revision ?? 0);
    await partition.#write();
    await partition.#subscribe();
    return partition;
  }

  /** Readings that the state has seen and no record holds yet. */
  get unsaved(): boolean {
    return this.#last > this.#saved;
  }

  /**
   * Takes readings until `stop`.
   *
   * @throws StaleOwnerError once another worker has written the record; any error of the connection.
   */
  async run(): Promise<void> {
    const { topology, client, saveEvery, saveAfter } = this.#context;
    let failure: unknown;
    const save = (): void => {
      this.save().catch((error: unknown) => {
        failure ??= error;
        this.#messages!.stop();
      });
    };
    const timer = setInterval(() => this.unsaved && save(), saveEvery);
    let taken = 0;
    try {
      for await (const message of this.#messages!) {
        // Delivered again: its acknowledgement, or the one who would have sent it, got lost behind the save.
        if (message.seq <= this.#last) {
          if (message.seq <= this.#saved) message.ack();
          continue;
        }
        const results = this.#job.take(sensorOf(message.subject), message.data);
        results.forEach(({ sensor, data }, i) => {
          const sent = client.publish(subjectOf(topology, 'out', sensor), data, {
            msgID: `${message.seq}.${i}`,
          });
          // Looked at when the state is saved.
          sent.catch(() => {});
          this.#sent.push(sent);
        });
        this.#last = message.seq;
        this.#open.push(message);
        if (++taken % saveAfter === 0) save();
        if (this.#sent.length > IN_FLIGHT) await this.save();
      }
    } finally {
      clearInterval(timer);
    }
    if (failure !== undefined) throw failure;
  }

  /** State and last number to the record, once the results up to there are on the server; then the acknowledgement. */
  save(): Promise<void> {
    // One behind the other: each needs the revision that the one before it made.
    this.#saving = this.#saving.then(async () => {
      if (!this.unsaved) return;
      await this.#write();
    });
    return this.#saving;
  }

  /** Gives the partition back, with everything saved. */
  async stop(): Promise<void> {
    this.#messages?.stop();
    await this.save();
  }

  /** Stops at once and saves nothing. */
  abandon(): void {
    this.#saving = Promise.reject(new StaleOwnerError(`partition ${this.index} was given up`));
    this.#saving.catch(() => {});
    this.#messages?.stop();
  }

  async #write(): Promise<void> {
    const { state } = this.#context;
    const [last, open, sent] = [this.#last, this.#open, this.#sent];
    [this.#open, this.#sent] = [[], []];
    const { identity } = this.#job;
    const bytes = packCheckpoint({
      identity,
      input: last,
      output: 0,
      done: false,
      state: this.#job.snapshot(),
    });
    await Promise.all(sent);
    try {
      this.#revision = await state.put(recordOf(this.index), bytes, { previousSeq: this.#revision });
    } catch (cause) {
      throw new StaleOwnerError(
        `partition ${this.index} of ${this.#context.topology.name} could not be saved at revision ${this.#revision}: ` +
          `another worker owns it now, or the server can't be reached (${(cause as Error).message}); this one gives it up`,
        { cause },
      );
    }
    this.#saved = last;
    for (const message of open) message.ack();
  }

  async #subscribe(): Promise<void> {
    const { nats, manager, client, topology } = this.#context;
    const stream = inputOf(topology);
    const name = `partition-${this.index}`;
    // A new one: what the owner before had been given and not acknowledged comes again at once, in order.
    await manager.consumers.delete(stream, name).catch(() => false);
    await manager.consumers.add(stream, {
      durable_name: name,
      filter_subject: `${topology.name}.in.${this.index}.*`,
      ack_policy: nats.AckPolicy.Explicit,
      ack_wait: nats.nanos(60_000),
      max_ack_pending: -1,
      deliver_policy: nats.DeliverPolicy.All,
    });
    const consumer = await client.consumers.get(stream, name);
    this.#messages = await consumer.consume({ max_messages: 1000 });
  }
}

const recordOf = (index: number): string => `partition.${index}`;
