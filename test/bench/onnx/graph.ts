import { encodeModel } from './proto.ts';

const FLOAT = 1;
const INT64 = 7;
const OPSET = 17;

export type Dims = readonly number[];
/** A value of the graph, by name. */
export type Value = string;
type Attribute = number | Dims | { readonly graph: OnnxGraph };

/**
 * Writes an ONNX graph node by node: `add(op, inputs, attributes)` gives the name of the new value. One kind of
 * attribute a type: whole numbers, lists of them, graphs.
 */
export class OnnxGraph {
  readonly #nodes: object[] = [];
  readonly #initialisers: object[] = [];
  readonly #inputs: object[] = [];
  readonly #outputs: object[] = [];
  readonly #prefix: string;
  #count = 0;

  /** @param prefix of value names; graphs inside others want one of their own. */
  constructor(prefix = '') {
    this.#prefix = prefix;
  }

  input(name: string, dims: Dims): Value {
    this.#inputs.push(valueInfo(name, dims));
    return name;
  }

  /** Names a value and gives it out. */
  output(name: string, value: Value, dims: Dims): void {
    this.#nodes.push({ opType: 'Identity', input: [value], output: [name] });
    this.#outputs.push(valueInfo(name, dims));
  }

  constant(values: ArrayLike<number>, dims: Dims): Value {
    return this.#initialiser(FLOAT, Float32Array.from(values), dims);
  }

  /** Whole numbers, as the second input of Reshape, Slice and Split wants them. */
  integers(values: Dims): Value {
    return this.#initialiser(INT64, BigInt64Array.from(values, BigInt), [values.length]);
  }

  add(opType: string, input: readonly Value[], attributes: Record<string, Attribute> = {}): Value {
    return this.addMany(opType, input, 1, attributes)[0]!;
  }

  addMany(
    opType: string,
    input: readonly Value[],
    outputs: number,
    attributes: Record<string, Attribute> = {},
  ): Value[] {
    const output = Array.from({ length: outputs }, () => this.#fresh());
    this.#nodes.push({ opType, input, output, attribute: Object.entries(attributes).map(attribute) });
    return output;
  }

  reshape(value: Value, dims: Dims): Value {
    return this.add('Reshape', [value, this.integers(dims)]);
  }

  transpose(value: Value, perm: Dims): Value {
    return this.add('Transpose', [value], { perm });
  }

  message(): object {
    return {
      name: 'bench',
      node: this.#nodes,
      initializer: this.#initialisers,
      input: this.#inputs,
      output: this.#outputs,
    };
  }

  /** The bytes of a .onnx file. */
  encode(): Promise<Uint8Array> {
    return encodeModel({
      irVersion: 8,
      opsetImport: [{ domain: '', version: OPSET }],
      graph: this.message(),
    });
  }

  #initialiser(dataType: number, values: Float32Array | BigInt64Array, dims: Dims): Value {
    const name = this.#fresh();
    this.#initialisers.push({ name, dataType, dims, rawData: new Uint8Array(values.buffer) });
    return name;
  }

  #fresh(): string {
    return `${this.#prefix}v${this.#count++}`;
  }
}

const valueInfo = (name: string, dims: Dims): object => ({
  name,
  type: { tensorType: { elemType: FLOAT, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
});

/** Numbers of AttributeProto.AttributeType: INT 2, GRAPH 5, INTS 7. */
function attribute([name, value]: [string, Attribute]): object {
  if (typeof value === 'number') return { name, type: 2, i: value };
  if ('graph' in value) return { name, type: 5, g: value.graph.message() };
  return { name, type: 7, ints: value };
}
