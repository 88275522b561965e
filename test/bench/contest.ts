/**
 * What is measured: the same work done by several contenders, in turns.
 */

/** Does a piece of work over and over, carrying its state on. */
export interface Contender {
  readonly name: string;
  /** Samples (frames of all channels) in one piece. */
  readonly samples: number;
  /** Hz, where the work is a signal's in real time: the cost is given as a share of it as well. */
  readonly sampleRate?: number | undefined;
  /** Does `pieces` pieces; resolves to the nanoseconds it took. */
  run(pieces: number): number | Promise<number>;
  /** From a fresh state: the whole answer to the contest's probe, frames × channels. */
  answer?(probe: Float32Array): Float32Array | Promise<Float32Array>;
  close?(): void | Promise<void>;
}

/** A figure that a row has to reach. */
export interface Target {
  readonly text: string;
  holds(oursNs: number, peerNs: number): boolean;
}

export interface Peer {
  /** Opens it, with everything that it needs built and loaded. @throws Unavailable where it can't run here. */
  readonly open: () => Contender | Promise<Contender>;
  /** What the row says where it can't be opened. */
  readonly name: string;
  readonly target?: Target | undefined;
  /** It does other work than ours, so its answer is another one; say in `about` which. */
  readonly otherWork?: boolean;
}

/** One contest: rows of ours against each peer. */
export interface Contest {
  readonly name: string;
  /** What the numbers mean, for the page: the model, sizes, precision. */
  readonly about: string;
  readonly open: () => Contender | Promise<Contender>;
  readonly peers: readonly Peer[];
  /** Input on which all that can answer have to agree with ours before anything is timed. */
  readonly probe?: Float32Array | undefined;
  /** Largest difference, relative to the peak of ours; 1e-4. */
  readonly tolerance?: number;
}

/** Why something is left out: it is not here. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** A contender does not give ours: one of the two is wrong, and its time means nothing. */
export class Disagreement extends Error {
  override readonly name = 'Disagreement';
}

/** Ours takes at most `factor` times the peer's time. */
export const within = (factor: number): Target => ({
  text: `ours ≤ ${factor} × the peer`,
  holds: (ours, peer) => ours <= factor * peer,
});

/** Ours is faster by at least `factor`. */
export const faster = (factor: number): Target => ({
  text: `≥ ${factor} × faster`,
  holds: (ours, peer) => peer >= factor * ours,
});

/** Ours takes at most so many ns a sample, whatever the peer does. */
export const atMost = (ns: number, text: string): Target => ({ text, holds: (ours) => ours <= ns });

/** A contender of a function that does one piece. */
export function timed(
  name: string,
  samples: number,
  piece: () => void,
  rest: Partial<Contender> = {},
): Contender {
  return {
    name,
    samples,
    run(pieces) {
      const start = process.hrtime.bigint();
      for (let i = 0; i < pieces; i++) piece();
      return Number(process.hrtime.bigint() - start);
    },
    ...rest,
  };
}

/** The same of one that has to be awaited. */
export function timedAsync(
  name: string,
  samples: number,
  piece: () => Promise<unknown>,
  rest: Partial<Contender> = {},
): Contender {
  return {
    name,
    samples,
    async run(pieces) {
      const start = process.hrtime.bigint();
      for (let i = 0; i < pieces; i++) await piece();
      return Number(process.hrtime.bigint() - start);
    },
    ...rest,
  };
}
