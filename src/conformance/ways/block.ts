import { evaluate } from '../../train/index.ts';
import type { Subject, Way } from '../case.ts';
import { deviation, worst } from '../compare.ts';
import { framesOf } from '../layout.ts';
import { inputsOf, join } from '../open.ts';
import { compareOutputs, outputTensors, type Feed } from './outputs.ts';

/** The whole input in one block, then the end. */
const whole: Feed = (stream, inputs) => join([stream.push(inputs), stream.flush()]);

/**
 * The whole sequence through a stream in one block. What the official code computes with a look at the whole
 * future (`causal: false`) is evaluated offline instead, since no stream can.
 */
export const block = (subject: Subject): Way => ({
  tensors: outputTensors(subject),
  measure: () =>
    subject.golden.causal === 'false' ? compareEvaluation(subject) : compareOutputs(subject, whole),
});

function compareEvaluation(subject: Subject): ReturnType<typeof worst> {
  const { golden, runs } = subject;
  return worst(
    runs.flatMap((run) => {
      const { model, parameters, sampleRate, irregular } = run;
      const results = inputsOf(subject, run).map((item) =>
        evaluate(model, parameters, item, { sampleRate, irregular }),
      );
      return Object.entries(run.outputs).map(([port, name]) => {
        const { shape, values } = golden.tensor(name);
        const official = framesOf(shape, values, golden.layoutOf(name));
        const compared = (item: Float64Array): Float64Array =>
          item.subarray((run.from ?? 0) * official.width);
        const ours = results.map((result) => compared(result[port]));
        return deviation(join(ours), join(official.items.map(compared)), name);
      });
    }),
  );
}
