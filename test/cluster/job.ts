import type { PartitionJob } from '../../src/cluster/index.ts';
import { initialise, s4d } from '../../src/layers/index.ts';
import { compile, type Stream } from '../../src/stream/index.ts';

const model = s4d({ features: 1, states: 8 });
const parameters = initialise(model, 1);

/** A stream a sensor: a float32 in, a float32 out. */
export function sensorsJob(): PartitionJob {
  const fresh = compile(model, parameters, { precision: 'float32' });
  const streams = new Map<string, Stream>();
  return {
    identity: fresh.identity.hash,
    take(sensor, reading) {
      let stream = streams.get(sensor);
      if (stream === undefined) streams.set(sensor, (stream = fresh.fork()));
      const output = stream.push(
        Float32Array.of(new DataView(reading.buffer, reading.byteOffset).getFloat32(0)),
      );
      const data = new Uint8Array(4);
      new DataView(data.buffer).setFloat32(0, output[0]!);
      return [{ sensor, data }];
    },
    snapshot() {
      const parts = [...streams].map(([sensor, stream]) => [
        sensor,
        Buffer.from(stream.snapshot()).toString('base64'),
      ]);
      return new TextEncoder().encode(JSON.stringify(parts));
    },
    restore(state) {
      streams.clear();
      for (const [sensor, bytes] of JSON.parse(new TextDecoder().decode(state)) as [string, string][]) {
        const stream = fresh.fork();
        stream.restore(Buffer.from(bytes, 'base64'));
        streams.set(sensor, stream);
      }
    },
  };
}
