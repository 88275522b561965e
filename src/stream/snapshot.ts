import { SnapshotError } from '../errors.ts';
import { crc32 } from './checksum.ts';
import type { Executor } from './executor.ts';
import { oldestFor, type FloatArray } from '../signal/index.ts';
import type { Program } from './program.ts';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';
import type { Running } from './running.ts';

const MAGIC = 'SWSNAP01';

/** What a snapshot holds beside the memory of the ops. */
export interface StreamPosition {
  readonly frames: number;
  readonly ended: boolean;
  readonly held: readonly Float64Array[];
}

type SectionType = 'float32' | 'float64' | 'bytes';

/** A run of numbers in a snapshot. */
export interface Section {
  readonly name: string;
  readonly type: SectionType;
  readonly bytes: Uint8Array;
}

/** What a snapshot says about itself. */
export interface SnapshotHeader {
  readonly model: string;
  readonly hash: string;
  readonly backend: string;
  readonly precision: string;
  readonly sampleRate: number | null;
  readonly frames: number;
  readonly ended: boolean;
  readonly sections: readonly { readonly name: string; readonly type: SectionType; readonly bytes: number }[];
}

const bytesOf = (data: FloatArray | Uint8Array): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

export const section = (name: string, data: FloatArray | Uint8Array): Section => ({
  name,
  type: data instanceof Float64Array ? 'float64' : data instanceof Float32Array ? 'float32' : 'bytes',
  bytes: bytesOf(data),
});

/** The frames of a node that a reader will look at again: what counts as the state of an edge. */
function edge(node: Running, oldest: number): FloatArray {
  const { width } = node.step;
  return node.data.subarray((oldest - node.base) * width, (node.produced - node.base) * width);
}

/**
 * The parts of a stream's state in their canonical order: for every node the frames still needed, its state
 * sections, and the raw layout of a kernel that keeps one of its own (see `Kernel.raw`).
 */
export function sectionsOf(executor: Executor, prefix = ''): Section[] {
  return executor.nodes.flatMap((node) => {
    const { path } = node.step.node;
    node.kernel?.save?.();
    const raw = node.kernel?.raw;
    return [
      section(`${prefix}${path}:frames`, edge(node, executor.oldestNeeded(node))),
      ...Object.entries(node.state).map(([name, data]) => section(`${prefix}${path}:${name}`, data)),
      ...(raw ? [section(`${prefix}${path}:raw`, raw)] : []),
    ];
  });
}

/** magic (8) · header length (u32) · header (JSON) · sections · CRC-32 of everything before (u32), little-endian. */
export function writeSnapshot(
  program: Program,
  executor: Executor,
  position: StreamPosition,
  more: readonly Section[] = [],
): Uint8Array {
  const sections = [
    ...position.held.map((data, i) => section(`held.${i}`, data)),
    ...sectionsOf(executor),
    ...more,
  ];
  const header: SnapshotHeader = {
    model: program.graph.name,
    hash: program.hash,
    backend: program.backend.name,
    precision: program.precision,
    sampleRate: program.sampleRate ?? null,
    frames: position.frames,
    ended: position.ended,
    sections: sections.map(({ name, type, bytes }) => ({ name, type, bytes: bytes.length })),
  };
  const text = encodeUtf8(JSON.stringify(header));
  const size = sections.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const result = new Uint8Array(12 + text.length + size + 4);
  const view = new DataView(result.buffer);
  result.set(encodeUtf8(MAGIC), 0);
  view.setUint32(8, text.length, true);
  result.set(text, 12);
  let at = 12 + text.length;
  for (const { bytes } of sections) {
    result.set(bytes, at);
    at += bytes.length;
  }
  view.setUint32(at, crc32(result.subarray(0, at)), true);
  return result;
}

/**
 * Checks a snapshot wholly, then puts it into the executor; on an error the executor is as it was.
 *
 * @param origin the program that the snapshot has to be of: this one, or the same model at another rate or other values.
 * @param prefix of the sections to be read: of a second executor in the same snapshot (`writeChanges`).
 */
export function readSnapshot(
  program: Program,
  executor: Executor,
  { header, sections: found }: OpenSnapshot,
  origin: Program = program,
  prefix = '',
): StreamPosition {
  const expect = (what: string, found: unknown, wanted: unknown, cure: string): void => {
    if (found !== wanted)
      throw new SnapshotError(
        `the snapshot's ${what} is ${String(found)}, this stream's is ${String(wanted)}; ${cure}`,
      );
  };
  expect('model', header.model, program.graph.name, 'restore it into a stream of that model');
  expect('precision', header.precision, program.precision, 'compile with that precision');
  expect(
    'sample rate',
    header.sampleRate,
    origin.sampleRate ?? null,
    "compile at that sampleRate, or restore with { sampleRate: 'convert' }",
  );
  expect(
    'model hash',
    header.hash,
    origin.hash,
    'the weights or the configuration differ: compile with those of the snapshot',
  );

  const take = (name: string, length: number): Uint8Array => {
    const bytes = found.get(name);
    if (bytes?.length !== length) {
      throw new SnapshotError(
        `section "${name}" of the snapshot has ${bytes?.length ?? 'no'} bytes, ${length} are needed; it is of another build`,
      );
    }
    return bytes;
  };

  // Where every node is after so many frames follows from the graph alone.
  const total = header.frames + (header.ended ? program.graph.endPadding(header.frames) : 0);
  const counts = Float64Array.from(program.schedule.counts(total, header.ended));
  const position = (node: Running): { produced: number; fired: number } => {
    const produced = counts[node.step.node.id]!;
    const timing = node.step.node.timing;
    const surplus = header.ended ? (timing?.surplus ?? 0) : 0;
    return { produced, fired: (produced + surplus) / (timing?.emit ?? 1) };
  };
  const restored = executor.nodes.map((node) => {
    const { path } = node.step.node;
    const { produced, fired } = position(node);
    const oldest = node.readers.reduce(
      (least, reader) =>
        Math.min(
          least,
          oldestFor(reader.node.step.node.timing!, reader.input, position(reader.node).fired, produced),
        ),
      produced,
    );
    const frames = take(
      `${prefix}${path}:frames`,
      (produced - oldest) * node.step.width * node.data.BYTES_PER_ELEMENT,
    );
    const state = Object.entries(node.state).map(
      ([name, data]) => [data, take(`${prefix}${path}:${name}`, data.byteLength)] as const,
    );
    const raw =
      // A layout of a kernel's own depends on its coefficients, and so on the rate.
      header.backend === program.backend.name && origin === program && node.kernel?.raw
        ? ([node.kernel.raw, take(`${prefix}${path}:raw`, node.kernel.raw.length)] as const)
        : undefined;
    return { node, produced, fired, oldest, frames, state, raw };
  });
  const held = executor.program.graph.inputs.size;
  const holds = Array.from({ length: held }, (_, i) => {
    const bytes = found.get(`held.${i}`) ?? new Uint8Array(0);
    return new Float64Array(bytes.buffer, 0, bytes.length / 8);
  });

  executor.place(restored, header.ended);
  for (const { node, state, raw } of restored) {
    for (const [data, bytes] of state) bytesOf(data).set(bytes);
    node.kernel?.load?.();
    if (raw) raw[0].set(raw[1]);
  }
  return { frames: header.frames, ended: header.ended, held: holds };
}

/**
 * The program that a snapshot was taken from, where it is `program` at whatever rate the snapshot names.
 *
 * @throws SnapshotError where it names none, GraphError where the model can't follow that rate.
 */
export function originOf(program: Program, { header: { sampleRate } }: OpenSnapshot): Program {
  if (sampleRate === (program.sampleRate ?? null)) return program;
  if (sampleRate === null || program.sampleRate === undefined) {
    throw new SnapshotError(
      `the snapshot's sample rate is ${sampleRate}, this stream's is ${program.sampleRate}: what is unknown can't be ` +
        'converted; compile both with a sampleRate',
    );
  }
  return program.at(sampleRate);
}

/** A snapshot taken apart, without a stream: for looking at it. */
export interface OpenSnapshot {
  readonly header: SnapshotHeader;
  /** Raw bytes of each section, by `path:section`. */
  readonly sections: ReadonlyMap<string, Uint8Array>;
}

/**
 * Takes a snapshot apart after checking its length, version and checksum.
 *
 * @throws SnapshotError on bytes that are no whole snapshot.
 * @example
 * const { header } = openSnapshot(stream.snapshot()); // header.model, header.frames, …
 */
export function openSnapshot(snapshot: Uint8Array): OpenSnapshot {
  const damaged = (why: string): never => {
    throw new SnapshotError(
      `this is no whole snapshot (${snapshot.length} bytes): ${why}; take one with stream.snapshot()`,
    );
  };
  if (snapshot.length < 16) damaged('it is too short');
  const view = new DataView(snapshot.buffer, snapshot.byteOffset, snapshot.byteLength);
  const magic = decodeUtf8(snapshot.subarray(0, 8));
  if (magic !== MAGIC)
    damaged(
      `it begins with ${JSON.stringify(magic)} instead of ${JSON.stringify(MAGIC)}, as another version would`,
    );
  const end = snapshot.length - 4;
  if (view.getUint32(end, true) !== crc32(snapshot.subarray(0, end))) damaged('its checksum is wrong');
  const length = view.getUint32(8, true);
  if (12 + length > end) damaged(`its header of ${length} bytes goes beyond its end`);
  const header = JSON.parse(decodeUtf8(snapshot.subarray(12, 12 + length))) as SnapshotHeader;
  const sections = new Map<string, Uint8Array>();
  let at = 12 + length;
  for (const { name, bytes } of header.sections) {
    // A copy of its own: `slice` of a Node Buffer would be a view of a pool that others write to.
    sections.set(name, Uint8Array.from(snapshot.subarray(at, at + bytes)));
    at += bytes;
  }
  if (at !== end) damaged(`its sections need ${at - 12 - length} bytes, it has ${end - 12 - length}`);
  return { header, sections };
}

/** The sections of a snapshot that hold numbers, widened to float64: a stream's state by `path:section`. */
export function snapshotNumbers(snapshot: Uint8Array): Map<string, Float64Array> {
  const { header, sections } = openSnapshot(snapshot);
  const numbers = new Map<string, Float64Array>();
  for (const { name, type } of header.sections) {
    const { buffer } = sections.get(name)!;
    if (type === 'float64') numbers.set(name, new Float64Array(buffer as ArrayBuffer));
    if (type === 'float32') numbers.set(name, Float64Array.from(new Float32Array(buffer as ArrayBuffer)));
  }
  return numbers;
}
