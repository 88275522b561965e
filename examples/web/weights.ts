/** The trained models that lie beside the page, each fetched once. */
import { readSafetensors, toFloat64 } from 'statewave/checkpoint';
import { parseConfig } from 'statewave/models';
import type { ModelName, Weights } from './messages.ts';

const TRAINED: ReadonlySet<ModelName> = new Set(['denoiser', 'digits']);
const fetched = new Map<ModelName, Promise<Weights | undefined>>();

/** What a model needs to run: undefined for one that has no weights. */
export function weightsOf(name: ModelName): Promise<Weights | undefined> {
  let weights = fetched.get(name);
  if (weights === undefined) {
    weights = TRAINED.has(name) ? load(name) : Promise.resolve(undefined);
    // Another try may find what was missing.
    weights.catch(() => fetched.delete(name));
    fetched.set(name, weights);
  }
  return weights;
}

async function load(name: ModelName): Promise<Weights> {
  const path = `models/${name}.safetensors`;
  const response = await fetch(path);
  if (response.status === 404) {
    throw new Error(
      `This server has no weights for this model (${path} is missing). Train them with ` +
        `“statewave train fixtures/models/${name}/config.json”, or choose another model.`,
    );
  }
  if (!response.ok) throw new Error(`${path} does not load: the server says ${response.status}.`);
  const { tensors, metadata } = readSafetensors(new Uint8Array(await response.arrayBuffer()), {
    source: path,
  });
  return {
    format: metadata.get('format') ?? '',
    config: parseConfig(metadata.get('config'), path),
    parameters: new Map([...tensors].map(([key, tensor]) => [key, toFloat64(tensor)])),
  };
}
