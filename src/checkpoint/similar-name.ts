/** What somebody may have meant who gave a name that does not exist. */

/** Longer names are compared by their ends, where parameters differ; it bounds the work. */
const COMPARED = 64;

/**
 * The fewest insertions, deletions and replacements of characters that turn `a` into `b` (Levenshtein), or
 * Infinity when it takes more than `most`.
 */
function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    if (Math.min(...next) > most) return Infinity;
    row = next;
  }
  return row[b.length];
}

/** The name nearest to `name`, or undefined when none has at least three fifths of it in common. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const end = name.slice(-COMPARED);
  let most = Math.max(1, Math.floor(end.length * 0.4));
  let nearest: string | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(end, candidate.slice(-COMPARED), most);
    if (distance > most) continue;
    nearest = candidate;
    // Only a nearer one replaces it.
    most = distance - 1;
    if (most < 0) break;
  }
  return nearest;
}
