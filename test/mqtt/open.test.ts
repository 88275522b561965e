import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ArgumentError, BackendError } from '../../src/errors.ts';
import { openMqtt, type MqttDelivery } from '../../src/mqtt/index.ts';
import { freePort, hasMosquitto, startBroker, type Broker } from './broker.ts';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const textOf = ({ payload }: MqttDelivery): string => new TextDecoder().decode(payload);

describe('openMqtt, without a broker', () => {
  it('says so where nobody answers', async () => {
    const url = `mqtt://127.0.0.1:${await freePort()}`;
    await expect(openMqtt({ url, topics: 'a' })).rejects.toThrow(BackendError);
    await expect(openMqtt({ url, topics: 'a' })).rejects.toThrow(/no connection to mqtt:.*ECONNREFUSED/);
  });

  it('refuses options that can not be', async () => {
    const url = 'mqtt://127.0.0.1:1';
    for (const options of [{ window: 0 }, { window: 1e6 }, { session: -1 }, { session: 60 }])
      await expect(openMqtt({ url, topics: 'a', ...options })).rejects.toThrow(ArgumentError);
  });
});

// A real broker, or none: what matters here is how it and the client behave together.
describe.skipIf(!hasMosquitto)('openMqtt (skipped where there is no mosquitto)', () => {
  let broker: Broker;
  beforeAll(async () => void (broker = await startBroker()));
  afterAll(() => broker.stop());

  it('hands out messages in order, and no more than the window unacknowledged', async () => {
    const consumer = await openMqtt({
      url: broker.url,
      topics: ['w/+/x'],
      window: 7,
      clientId: 'w',
      session: 60,
    });
    const sender = await broker.connect();
    for (let i = 0; i < 50; i++) await sender.publishAsync('w/1/x', `${i}`, { qos: 1 });
    const iterator = consumer[Symbol.asyncIterator]();
    const first: MqttDelivery[] = [];
    for (let i = 0; i < 7; i++) first.push((await iterator.next()).value!);
    expect(first.map(textOf)).toEqual(['0', '1', '2', '3', '4', '5', '6']);
    let eighth: MqttDelivery | undefined;
    const next = iterator.next().then(({ value }) => (eighth = value!));
    await sleep(100);
    expect(eighth).toBeUndefined();
    for (const delivery of first.slice(0, 3)) delivery.acknowledge();
    await next;
    expect(textOf(eighth!)).toBe('7');
    await consumer.close();

    // What nobody acknowledged comes again, first and in order, and says so. The first acknowledgement has arrived, since it
    // brought the eighth message; the other two may have been under way when the connection was cut.
    const again = await openMqtt({ url: broker.url, topics: ['w/+/x'], clientId: 'w', session: 60 });
    const rest: MqttDelivery[] = [];
    for await (const delivery of again) {
      delivery.acknowledge();
      rest.push(delivery);
      if (textOf(delivery) === '49') break;
    }
    const oldest = Number(textOf(rest[0]!));
    expect([1, 2, 3]).toContain(oldest);
    expect(rest.map(textOf)).toEqual(Array.from({ length: 50 - oldest }, (_, i) => `${i + oldest}`));
    expect(rest.slice(0, 8 - oldest).every(({ duplicate }) => duplicate)).toBe(true);
    expect(rest.at(-1)!.duplicate).toBe(false);
    await sender.endAsync();
  });

  it('goes on where the broker was away, and brings nothing twice that was not read', async () => {
    const own = await startBroker();
    const port = Number(new URL(own.url).port);
    const consumer = await openMqtt({
      url: own.url,
      topics: 'r',
      connection: { reconnectPeriod: 20 },
    });
    let sender = await own.connect();
    await sender.publishAsync('r', 'before', { qos: 1 });
    const iterator = consumer[Symbol.asyncIterator]();
    const before = (await iterator.next()).value!;
    await sender.endAsync(true);
    await own.stop();
    const back = await startBroker(port);
    sender = await back.connect();
    // The client subscribes anew once it is back; until then its messages go nowhere.
    const next = iterator.next();
    const news = { arrived: false };
    void next.then(() => (news.arrived = true));
    while (!news.arrived) {
      await sender.publishAsync('r', 'after', { qos: 1 });
      await sleep(20);
    }
    before.acknowledge(); // of the old connection: without effect
    expect(textOf((await next).value!)).toBe('after');
    await consumer.close();
    await sender.endAsync(true);
    await back.stop();
  });

  it('holds back a broker that brings more than it was told', async () => {
    const window = 10;
    const options = { url: broker.url, topics: 'm', window, clientId: 'm', session: 60 };
    const consumer = await openMqtt({ ...options, connection: { keepalive: 1 } });
    const sender = await broker.connect();
    const sending = (async () => {
      for (let i = 0; i < 3000; i += 50)
        await Promise.all(
          Array.from({ length: 50 }, (_, k) => sender.publishAsync('m', `${i + k}`, { qos: 1 })),
        );
    })();
    let [count, most] = [0, 0];
    for await (const delivery of consumer) {
      expect(textOf(delivery)).toBe(`${count}`);
      expect(delivery.duplicate).toBe(false);
      most = Math.max(most, consumer.waiting);
      delivery.acknowledge();
      // Longer than the client waits for an answer to its pings.
      if (count === 100) await sleep(1800);
      if (count % 10 === 0) await sleep(1);
      if (++count === 3000) break;
    }
    expect(most).toBeLessThanOrEqual(2 * window);
    await sending;
    await sender.endAsync();
  });

  it('opens a session that brings more again than the window holds', async () => {
    const options = { url: broker.url, topics: 'o', clientId: 'o', session: 60 };
    const first = await openMqtt({ ...options, window: 50 });
    const sender = await broker.connect();
    for (let i = 0; i < 100; i++) await sender.publishAsync('o', `${i}`, { qos: 1 });
    while (first.waiting < 50) await sleep(5);
    await first.close();
    // The answer to the subscription comes behind the 50 that nobody acknowledged.
    const second = await openMqtt({ ...options, window: 10 });
    const got: string[] = [];
    for await (const delivery of second) {
      delivery.acknowledge();
      got.push(textOf(delivery));
      if (got.length === 100) break;
    }
    expect(got).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
    await sender.endAsync();
  });

  it('pauses the wire for messages without acknowledgement', async () => {
    const consumer = await openMqtt({ url: broker.url, topics: 'q', qos: 0, window: 5 });
    const sender = await broker.connect();
    for (let i = 0; i < 2000; i++) sender.publish('q', `${i}`);
    let count = 0;
    for await (const delivery of consumer) {
      expect(textOf(delivery)).toBe(`${count}`);
      if (++count === 2000) break;
    }
    await sender.endAsync();
  });

  it('ends a wait when it is closed', async () => {
    const consumer = await openMqtt({ url: broker.url, topics: 'nothing' });
    const next = consumer[Symbol.asyncIterator]().next();
    await consumer.close();
    expect(await next).toEqual({ done: true, value: undefined });
  });
});
