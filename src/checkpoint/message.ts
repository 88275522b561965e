/** How messages show what a file holds: short, on one line, without control characters. */

const LONGEST = 80;

/** A name or text as a JSON string, cut when it is long. */
export const quote = (text: string): string =>
  JSON.stringify(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

/** A shape as `[2, 3]`, cut when it has many axes. */
export const showShape = (shape: readonly number[]): string =>
  `[${shape.slice(0, 8).join(', ')}${shape.length > 8 ? `, … (${shape.length} axes)` : ''}]`;

/** What is seen, at most `most` of it, and how many were left out. */
export const listSome = (items: readonly string[], most = 5): string =>
  items.slice(0, most).join('; ') + (items.length > most ? `; and ${items.length - most} more` : '');
