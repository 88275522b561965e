import type { Tensor } from './tensor.ts';

export interface Inlined {
  readonly text: string;
  readonly inputs: Readonly<Record<string, Tensor>>;
}

/**
 * Text in which every element of a formula that is read has been put in place of the reading: `y[z][k][i]` becomes y's
 * formula at (i, k, z). One array has one name afterwards.
 *
 * @param arrayOf the array that a formula has become, where it has.
 */
export function inline(
  text: string,
  inputs: Readonly<Record<string, Tensor>>,
  arrayOf: (tensor: Tensor) => Tensor | undefined,
): Inlined {
  const names = new Map<Tensor, string>();
  const nameOf = (tensor: Tensor): string => {
    let name = names.get(tensor);
    if (name === undefined) names.set(tensor, (name = `v${names.size}`));
    return name;
  };
  const expand = (body: string, sources: Readonly<Record<string, Tensor>>): string =>
    replaceReads(body, Object.keys(sources), (name, indices) => {
      const given = sources[name]!;
      const tensor = arrayOf(given) ?? given;
      const own = indices.map((index) => expand(index, sources));
      if (!tensor.expression) return `${nameOf(tensor)}${own.map((index) => `[${index}]`).join('')}`;
      const [x, y, z] = own.toReversed() as [string, string?, string?];
      // The formula's own names first: what the indices name is known already.
      return `(${replaceThread(expand(tensor.expression.text, tensor.expression.inputs), x, y, z)})`;
    });
  const expanded = expand(text, inputs);
  // An array that is not read after all is no input.
  return { text: expanded, inputs: Object.fromEntries([...names].map(([tensor, name]) => [name, tensor])) };
}

function replaceThread(text: string, x: string, y: string | undefined, z: string | undefined): string {
  return text.replaceAll(/this\.thread\.([xyz])/g, (whole, axis: string) => {
    const index = axis === 'x' ? x : axis === 'y' ? y : z;
    return index === undefined || index === whole ? whole : `(${index})`;
  });
}

/** Calls `read` for every `name[…]…` of the names, with the texts between its brackets. */
function replaceReads(
  text: string,
  names: readonly string[],
  read: (name: string, indices: readonly string[]) => string,
): string {
  if (names.length === 0) return text;
  const pattern = new RegExp(`(?<![\\w.])(${names.join('|')})\\[`, 'g');
  let result = '';
  let from = 0;
  for (;;) {
    pattern.lastIndex = from;
    const match = pattern.exec(text);
    if (!match) return result + text.slice(from);
    const indices: string[] = [];
    let at = match.index + match[1]!.length;
    while (text[at] === '[') {
      const end = closing(text, at);
      indices.push(text.slice(at + 1, end));
      at = end + 1;
    }
    result += text.slice(from, match.index) + read(match[1]!, indices);
    from = at;
  }
}

/** Where the bracket that opens at `at` closes. */
function closing(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    if (text[i] === '[') depth++;
    else if (text[i] === ']' && --depth === 0) return i;
  }
  throw new Error(`brackets do not match in: ${text}`);
}
