/** A module beside this one, as source or as compiled: for threads and processes of their own. */
export const fileOf = (name: string): URL =>
  new URL(`${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
