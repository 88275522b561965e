import type { Ports } from '../ports.ts';

/** Ports of what `teach` makes: the teacher's input, and its answer. */
export const TEACHER_PORTS: Ports = {
  inputs: { input: [0] },
  targets: { output: { channels: [1] } },
};
