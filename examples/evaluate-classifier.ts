/**
 * How often a trained classifier is right on its validation data, each sequence streamed through it frame by frame: the
 * answer is what stands at the last one.
 *
 *     node examples/evaluate-classifier.ts fixtures/models/smnist
 *     node examples/evaluate-classifier.ts fixtures/models/digits --rate 4000
 *
 * Takes the folder's `config.json` and `weights.safetensors`. `--rate` plays the data at another sample rate to the same
 * weights: only `dt` changes.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { compile } from 'statewave';
import { loadModel } from 'statewave/models';
import { openSource, type SourceDescription } from 'statewave/train';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rate: { type: 'string' }, count: { type: 'string', default: 'Infinity' } },
});
const [folder] = positionals;
if (folder === undefined) {
  console.error('usage: node examples/evaluate-classifier.ts FOLDER [--rate HZ] [--count N]');
  process.exit(2);
}
const sampleRate = values.rate === undefined ? undefined : Number(values.rate);
const { validation } = JSON.parse(readFileSync(`${folder}/config.json`, 'utf8')) as {
  validation: SourceDescription;
};
const source = await openSource(sampleRate === undefined ? validation : { ...validation, sampleRate });
const { model, parameters } = loadModel(`${folder}/weights.safetensors`);
const stream = compile(model, parameters, { sampleRate });

let [right, total] = [0, 0];
for await (const { inputs, targets, lengths, frames } of source.batches(0, 0)) {
  for (const [item, length] of lengths.entries()) {
    if (total >= Number(values.count)) break;
    stream.reset();
    const answers = stream.push(inputs['input']!.subarray(item * frames, item * frames + length));
    const last = answers.subarray(-stream.outputChannels);
    if (last.indexOf(Math.max(...last)) === targets['labels']![item]) right += 1;
    total += 1;
  }
}
await source.close();
console.log(`${right} of ${total} right: ${((100 * right) / total).toFixed(2)} %`);
