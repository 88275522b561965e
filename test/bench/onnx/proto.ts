import { loadPeer } from '../peers/load.ts';

/**
 * The few messages of onnx.proto3 that the bench's models need, in protobufjs's JSON form; names and numbers of the
 * fields are those of onnx/onnx `onnx.proto3`.
 */
const field = (type: string, id: number): object => ({ type, id });
const list = (type: string, id: number): object => ({ type, id, rule: 'repeated' });
const MESSAGES = {
  ModelProto: {
    irVersion: field('int64', 1),
    graph: field('GraphProto', 7),
    opsetImport: list('OperatorSetIdProto', 8),
  },
  OperatorSetIdProto: { domain: field('string', 1), version: field('int64', 2) },
  GraphProto: {
    node: list('NodeProto', 1),
    name: field('string', 2),
    initializer: list('TensorProto', 5),
    input: list('ValueInfoProto', 11),
    output: list('ValueInfoProto', 12),
  },
  NodeProto: {
    input: list('string', 1),
    output: list('string', 2),
    opType: field('string', 4),
    attribute: list('AttributeProto', 5),
  },
  AttributeProto: {
    name: field('string', 1),
    f: field('float', 2),
    i: field('int64', 3),
    g: field('GraphProto', 6),
    ints: list('int64', 8),
    type: field('int32', 20),
  },
  TensorProto: {
    dims: list('int64', 1),
    dataType: field('int32', 2),
    name: field('string', 8),
    rawData: field('bytes', 9),
  },
  ValueInfoProto: { name: field('string', 1), type: field('TypeProto', 2) },
  TypeProto: { tensorType: field('TensorType', 1) },
  TensorType: { elemType: field('int32', 1), shape: field('TensorShapeProto', 2) },
  TensorShapeProto: { dim: list('Dimension', 1) },
  Dimension: { dimValue: field('int64', 1) },
};

interface Protobuf {
  readonly Root: {
    fromJSON(json: object): {
      lookupType(name: string): { encode(message: object): { finish(): Uint8Array } };
    };
  };
}

/** The bytes of a model. @throws Unavailable where protobufjs does not load. */
export async function encodeModel(model: object): Promise<Uint8Array> {
  const module = await loadPeer<{ readonly default: Protobuf }>('protobufjs/light.js');
  const nested = Object.fromEntries(Object.entries(MESSAGES).map(([name, fields]) => [name, { fields }]));
  return module.default.Root.fromJSON({ nested }).lookupType('ModelProto').encode(model).finish();
}
