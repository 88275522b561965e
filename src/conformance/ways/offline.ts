import { evaluate } from '../../train/index.ts';
import type { Subject, Way } from '../case.ts';
import { deviation, worst } from '../compare.ts';
import { framesOf } from '../layout.ts';
import { inputsOf } from '../open.ts';
import { outputTensors } from './outputs.ts';

/** Whole sequences at once, in float64: for models that need their whole input and so cannot stream. */
export const offline = (subject: Subject): Way => ({
  tensors: outputTensors(subject),
  measure() {
    const { golden, runs } = subject;
    return worst(
      runs.flatMap((run) =>
        inputsOf(subject, run).flatMap((inputs, item) => {
          const { sampleRate, irregular } = run;
          const ours = evaluate(run.model, run.parameters, inputs, { sampleRate, irregular });
          return Object.entries(run.outputs).map(([port, tensor]) => {
            const { shape, values } = golden.tensor(tensor);
            const official = framesOf(shape, values, golden.layoutOf(tensor)).items[item];
            return deviation(ours[port], official, tensor);
          });
        }),
      ),
    );
  },
});
