/** A job to be killed: `node job.ts input output checkpoint every`. Prints what it did as JSON. */
import { runDurably, streamJob } from '../../src/durable/index.ts';
import { initialise, s4d } from '../../src/layers/index.ts';
import { compile } from '../../src/stream/index.ts';

const [input, output, checkpoint, every] = process.argv.slice(2) as [string, string, string, string];
const model = s4d({ features: 2, states: 16 });
const job = streamJob(compile(model, initialise(model, 1)), { read: (line) => line.split(',').map(Number) });
console.log(JSON.stringify(await runDurably(job, { input, output, checkpoint, every: Number(every) })));
