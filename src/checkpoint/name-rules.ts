/**
 * Names that a checkpoint may not use, for tensors and for metadata alike. Stricter than the official reader,
 * which takes any string: a NUL ends the name for C programs, so that two readers see two names, and names of
 * JavaScript's object machinery turn into prototype pollution in whoever builds objects from dotted names.
 */
const RESERVED = new Set(['__proto__', 'constructor', 'prototype']);

/** Why `name` is refused, with the cure, or undefined when it is fine. */
export function nameFault(name: string): string | undefined {
  if (name.includes('\0')) return 'holds a NUL character; rename it';
  if (!name.isWellFormed()) return 'holds half of a surrogate pair, which UTF-8 cannot write; rename it';
  const reserved = name.split('.').find((part) => RESERVED.has(part));
  return reserved === undefined ? undefined : `uses the reserved word ${reserved}; rename it`;
}
