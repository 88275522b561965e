/**
 * What a recurrence that is not linear leaves: every frame needs the whole of the one before it, so each is a kernel of
 * its own over the batch and all units, the same one with another frame's number. Rows are what such a kernel gives,
 * [width, 1, items].
 */
import type { Plan } from '../../plan.ts';
import { sumRows } from '../../sums.ts';
import { X, Y, Z, type Tensor } from '../../tensor.ts';

/** Rows that one kernel puts side by side. */
const JOINED = 8;

/** The rows as one signal, [width, rows, items], through a tree. */
export function joinRows(plan: Plan, label: string, rows: readonly Tensor[]): Tensor {
  let level = rows;
  while (level.length > 1) {
    const next: Tensor[] = [];
    for (let first = 0; first < level.length; first += JOINED) {
      next.push(joined(plan, label, level.slice(first, first + JOINED)));
    }
    level = next;
  }
  return level[0]!;
}

function joined(plan: Plan, label: string, parts: readonly Tensor[]): Tensor {
  if (parts.length === 1) return parts[0]!;
  const [width, , items] = parts[0]!.dims as readonly [number, number, number];
  let frames = 0;
  const pieces = parts.map((part, i) => {
    const from = frames;
    frames += part.dims[1]!;
    const read = `return part${i}[${Z}][${Y} - ${from}][${X}];`;
    return i === parts.length - 1 ? read : `if (${Y} < ${frames}) { ${read} }`;
  });
  return plan.run({
    label: `${label} rows`,
    dims: [width, frames, items],
    inputs: Object.fromEntries(parts.map((part, i) => [`part${i}`, part])),
    body: pieces.join('\n'),
  });
}

/** A row to begin with: constants of `size` numbers side by side, or zeros. */
export const firstRow = (
  plan: Plan,
  label: string,
  width: number,
  items: number,
  initial: readonly Tensor[] = [],
): Tensor => {
  const size = width / Math.max(1, initial.length);
  const reads = initial.map(
    (_, i) => `if (${X} < ${(i + 1) * size}) { return initial${i}[${X} - ${i * size}]; }`,
  );
  return plan.run({
    label: `${label} start`,
    dims: [width, 1, items],
    inputs: Object.fromEntries(initial.map((tensor, i) => [`initial${i}`, tensor])),
    body: [...reads, 'return 0;'].join('\n'),
  });
};

/** What each frame found: the row before it, and at the first frame the one to begin with. */
export const rowsBefore = (plan: Plan, label: string, rows: Tensor, start: Tensor): Tensor =>
  plan.run({
    label: `${label} before`,
    dims: rows.dims,
    inputs: { rows, start },
    body: `if (${Y} > 0) { return rows[${Z}][${Y} - 1][${X}]; }\nreturn start[${Z}][0][${X}];`,
  });

/** Σ over frames and items of the first `width` numbers of a frame. */
export const sumFrames = (plan: Plan, label: string, rows: Tensor, width: number): Tensor =>
  sumRows(plan, {
    label,
    width,
    frames: rows.dims[1]!,
    items: rows.dims[2]!,
    inputs: { d: rows },
    term: (frame, item) => `d[${item}][${frame}][${X}]`,
  });

/** Statements that name the thread's unit `i` and its part `part`, one of several times `units` numbers. */
export const unitText = (units: number): string =>
  `const part = Math.floor((${X} + 0.5) / ${units});\nconst i = ${X} - part * ${units};\n`;

/** Statements that return one of the parts' values. */
export const returnPart = (values: readonly string[]): string =>
  values
    .map((value, i) =>
      i === values.length - 1 ? `return ${value};` : `if (part < ${i + 0.5}) { return ${value}; }`,
    )
    .join('\n');
