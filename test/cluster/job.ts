import { keyedPartitionJob, type PartitionJob } from '../../src/cluster/index.ts';
import { KeyedStreams } from '../../src/keyed/index.ts';
import { initialise, s4d } from '../../src/layers/index.ts';

interface Reading {
  readonly sensor: string;
  readonly value: number;
}

const model = s4d({ features: 1, states: 8 });
const parameters = initialise(model, 1);

/** A stream a sensor: a float32 in, a float32 out. */
export const sensorsJob = (): PartitionJob =>
  keyedPartitionJob(
    new KeyedStreams((reading: Reading) => reading.sensor, model, parameters, { precision: 'float32' }),
    {
      read: (sensor, bytes) => ({
        sensor,
        value: new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0),
      }),
      write({ value }) {
        const data = new Uint8Array(4);
        new DataView(data.buffer).setFloat32(0, value as number);
        return data;
      },
    },
  );
