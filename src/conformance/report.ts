/** `ok` and `FAIL` were compared; `n/a` says what was not; `unsupported` belongs to a family that is not here yet. */
export type Verdict = 'ok' | 'FAIL' | 'n/a' | 'unsupported';

/** One line of the report: a case in one way. */
export interface Line {
  readonly verdict: Verdict;
  readonly case: string;
  /** A way, or of an `n/a` line the tensor that nothing was compared with. */
  readonly way: string;
  /** Relative to the peak of the official tensor; undefined where nothing could be compared. */
  readonly error?: number | undefined;
  readonly tolerance?: number | undefined;
  /** Why it failed: the worst place, or the error that was thrown. */
  readonly reason?: string;
}

export interface Report {
  readonly lines: readonly Line[];
  readonly ok: number;
  readonly failed: number;
  readonly unsupported: number;
}

export function summarise(lines: readonly Line[]): Report {
  const count = (verdict: Verdict): number => lines.filter((line) => line.verdict === verdict).length;
  return { lines, ok: count('ok'), failed: count('FAIL'), unsupported: count('unsupported') };
}

/**
 * `ok|FAIL|n/a|unsupported <case> <way> <error> <tolerance>`, in columns. A number that there is none of is `-`.
 *
 * @param caseWidth room for the longest case name.
 */
export function formatLine(line: Line, caseWidth = 0): string {
  const columns = [
    line.verdict.padEnd(11),
    line.case.padEnd(caseWidth),
    line.way.padEnd(20),
    formatNumber(line.error).padEnd(8),
    formatNumber(line.tolerance),
  ];
  return columns.join(' ').trimEnd();
}

/** The last line. */
export const formatTotals = ({ ok, failed, unsupported }: Report): string =>
  `${ok} ok, ${failed} failed, ${unsupported} unsupported`;

const formatNumber = (value: number | undefined): string => {
  if (value === undefined) return '-';
  if (value === 0 || !Number.isFinite(value)) return String(value);
  return value.toExponential(1);
};
