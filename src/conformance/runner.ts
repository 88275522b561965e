import { BackendError, StatewaveError } from '../errors.ts';
import type { StreamBackend } from '../backends/backend.ts';
import { reference } from '../backends/reference/index.ts';
import type { Precision } from '../signal/index.ts';
import type { Case, Extra, Family, Settings, Way } from './case.ts';
import { families as allFamilies } from './cases/index.ts';
import { findGolden, type Found } from './find.ts';
import { openGolden, type Golden } from './golden.ts';
import { summarise, type Line, type Report } from './report.ts';

export interface ConformanceOptions {
  /** Golden files, or folders of them. */
  readonly paths: readonly string[];
  /** Folder of the published weights that `network` cases need; `../shared/models` by default. */
  readonly models?: string | undefined;
  /** Where streams run; the reference by default. */
  readonly backend?: StreamBackend | undefined;
  /** By default as the official code ran: `float64` where it did, else `auto`. */
  readonly precision?: Precision | undefined;
  /** Called with each line as soon as it is known; `caseWidth` is the length of the longest case name. */
  readonly onLine?: ((line: Line, caseWidth: number) => void) | undefined;
  /** Who takes which files; all that there are by default. */
  readonly families?: readonly Family[] | undefined;
}

/**
 * Holds this implementation to the official ones: every golden file, in every way that its metadata ask for, and
 * in what else it holds. Whatever goes wrong with a case is a line of that case; nothing is left out silently:
 * a way that is not known fails, a tensor that nothing is compared with is said.
 *
 * @throws ArgumentError where there is nothing to run.
 * @example
 * const { failed } = await runConformance({ paths: ['fixtures/golden'] });
 */
export async function runConformance(options: ConformanceOptions): Promise<Report> {
  const { models = '../shared/models', backend = reference, precision, families = allFamilies } = options;
  const found = findGolden(options.paths);
  const caseWidth = Math.max(...found.map(({ name }) => name.length));
  const lines: Line[] = [];
  for (const file of found) {
    for await (const line of judge(file, { models, backend, precision }, families)) {
      lines.push(line);
      options.onLine?.(line, caseWidth);
    }
  }
  return summarise(lines);
}

async function* judge(
  file: Found,
  settings: Settings,
  families: readonly Family[],
): AsyncGenerator<Line, void> {
  let golden: Golden;
  try {
    golden = openGolden(file.path, file.name);
  } catch (error) {
    yield { verdict: 'FAIL', case: file.name, way: 'read', reason: describe(error) };
    return;
  }
  const family = families.find((each) => each.matches(golden));
  if (family === undefined) {
    for (const [way, tolerance] of golden.ways)
      yield { verdict: 'unsupported', case: golden.name, way, tolerance };
    return;
  }
  let opened: Case;
  try {
    opened = await family.open(golden, settings);
  } catch (error) {
    for (const [way, tolerance] of golden.ways)
      yield { verdict: 'FAIL', case: golden.name, way, tolerance, reason: describe(error) };
    return;
  }
  const compared = new Set<string>();
  for (const [name, tolerance] of golden.ways) {
    const way = Object.hasOwn(opened.ways, name) ? opened.ways[name] : undefined;
    way?.tensors.forEach((tensor) => compared.add(tensor));
    yield way === undefined
      ? { verdict: 'FAIL', case: golden.name, way: name, tolerance, reason: unknownWay(name, family, opened) }
      : await compare(golden.name, name, way, tolerance);
  }
  for (const [name, extra] of extrasOf(golden, opened)) {
    extra.tensors.forEach((tensor) => compared.add(tensor));
    yield await compare(golden.name, name, extra, extra.tolerance);
  }
  for (const way of untouched(golden, opened, compared)) yield { verdict: 'n/a', case: golden.name, way };
}

async function compare(name: string, way: string, { measure }: Way, tolerance: number): Promise<Line> {
  try {
    const { error, place } = await measure();
    if (error <= tolerance) return { verdict: 'ok', case: name, way, error, tolerance };
    return { verdict: 'FAIL', case: name, way, error, tolerance, reason: place };
  } catch (error) {
    // What a backend has no form of, it says by name.
    const verdict = error instanceof BackendError ? 'unsupported' : 'FAIL';
    return { verdict, case: name, way, tolerance, reason: describe(error) };
  }
}

const unknownWay = (way: string, { name }: Family, { ways }: Case): string =>
  `way "${way}" is not known for ${name}; known are ${Object.keys(ways).join(', ')}`;

/** Extras of which the file holds something, or that need no tensor. */
const extrasOf = (golden: Golden, { extras = {} }: Case): [string, Extra][] =>
  Object.entries(extras).filter(
    ([, { tensors }]) => tensors.length === 0 || tensors.some((tensor) => golden.has(tensor)),
  );

/** Tensors that neither went into the case nor were compared with anything. */
function untouched(golden: Golden, { given = [] }: Case, compared: ReadonlySet<string>): string[] {
  const used = new Set([...golden.inputs, ...golden.constants, ...given, ...compared]);
  return [...golden.checkpoint.tensors.keys()].filter(
    (name) => !used.has(name) && !name.startsWith('param.'),
  );
}

/** A mistake that was made on purpose says its class and message; any other is ours and says where. */
function describe(error: unknown): string {
  if (error instanceof StatewaveError) return `${error.name}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
