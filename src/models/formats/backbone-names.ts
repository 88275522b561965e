/**
 * A language model's tensor as its backbone names it: without the prefix `backbone.`, and nothing for the embedding
 * (`embeddings` in transformers, `embedding` in mamba_ssm) and the read-out.
 */
export function withoutLanguage(name: string): string | undefined {
  const inner = name.replace(/^backbone\./, '');
  return /^(embeddings?|lm_head)\./.test(inner) ? undefined : inner;
}
