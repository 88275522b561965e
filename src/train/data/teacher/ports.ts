import type { Ports } from '../ports.ts';

/** Ports of what `teach` makes: the teacher's input, and its answer, so many frames earlier. */
export const teacherPorts = (ahead = 0): Ports => ({
  inputs: { input: [0] },
  targets: { output: { channels: [1], ahead } },
});

/** The answer when it came. */
export const TEACHER_PORTS: Ports = teacherPorts();
