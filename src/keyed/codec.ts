import { SnapshotError } from '../errors.ts';
import type { StreamBank } from '../stream/index.ts';
import { packKeyState, unpackKeyState } from './key-state.ts';
import { SnapshotPacker, type SnapshotForm } from './packed-snapshot.ts';
import type { Timelines } from './timelines.ts';

/** Frames after which a stream that keeps some has as many as it ever has: what most snapshots look like. */
const SETTLED_FRAMES = 64;

/** Turns what is in a place (a stream of the bank, a line of the timelines) into bytes, and bytes into a place. */
export class Codec {
  readonly #bank: StreamBank;
  readonly #lines: Pick<Timelines, 'save' | 'restore'>;
  readonly #packer: SnapshotPacker;

  constructor(bank: StreamBank, lines: Pick<Timelines, 'save' | 'restore'>, hasTime: boolean) {
    this.#bank = bank;
    this.#lines = lines;
    const sample = bank.open();
    const input = new Float32Array(SETTLED_FRAMES * bank.inputChannels);
    const output = new Float32Array(bank.maxOutput(SETTLED_FRAMES) * bank.outputChannels);
    bank.process([sample], hasTime ? { input, dt: new Float32Array(SETTLED_FRAMES) } : input, output);
    this.#packer = new SnapshotPacker(bank.snapshot(sample));
    bank.close(sample);
  }

  /** By which states are packed; whoever unpacks them elsewhere has to `learn` it. */
  get form(): SnapshotForm {
    return this.#packer.own;
  }

  /** Returns the form's checksum. */
  learn(form: SnapshotForm): number {
    return this.#packer.learn(form);
  }

  /** The checksum of a form that would have to be learnt for these bytes. */
  unknownForm(key: string, state: Uint8Array): number | undefined {
    return this.#packer.unknownForm(unpackKeyState(state, key).stream);
  }

  pack(place: number): Uint8Array {
    const snapshot = this.#packer.pack(this.#bank.snapshot(place), this.#bank.framesSeen(place));
    return packKeyState(this.#lines.save(place), snapshot);
  }

  /** @throws SnapshotError for bytes that are damaged, or of another model; the place has to be cleared then. */
  unpack(place: number, key: string, state: Uint8Array): void {
    try {
      const { timeline, stream } = unpackKeyState(state, key);
      this.#lines.restore(place, timeline);
      this.#bank.restore(place, this.#packer.unpack(stream));
    } catch (cause) {
      throw cause instanceof SnapshotError
        ? new SnapshotError(`the state of ${JSON.stringify(key)}: ${cause.message}`, { cause })
        : cause;
    }
  }
}
