/**
 * The few ONNX protobuf messages that a graph needs, as bytes (field numbers from onnx.proto, IR version
 * 10). Knows the wire format only.
 */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { DType } from '../tensor.ts';

export type Attribute = number | string | readonly number[] | { readonly float: number };

export interface OnnxNode {
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** Bytes in the message, or a range of a file relative to the folder named when the session is made. */
export type OnnxData =
  | { readonly raw: Uint8Array }
  | { readonly location: string; readonly offset: number; readonly bytes: number };

export interface OnnxTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: OnnxData;
}

export interface OnnxValue {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
}

export interface OnnxModel {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

const elementType: Record<DType, number> = {
  f32: 1,
  u8: 2,
  i8: 3,
  u16: 4,
  i16: 5,
  i32: 6,
  i64: 7,
  bool: 9,
  f16: 10,
  f64: 11,
  u32: 12,
  u64: 13,
  bf16: 16,
};

const opsets = { '': 21, 'com.microsoft': 1 } as const;
const irVersion = 10;
const wire = { varint: 0, delimited: 2, fixed32: 5 } as const;
const attributeType = { float: 1, int: 2, string: 3, ints: 7 } as const;

type Message = (w: BinaryWriter) => void;

function nested(w: BinaryWriter, field: number, write: Message): void {
  w.tag(field, wire.delimited).fork();
  write(w);
  w.join();
}
const text = (w: BinaryWriter, field: number, value: string) => w.tag(field, wire.delimited).string(value);
const int = (w: BinaryWriter, field: number, value: number) => w.tag(field, wire.varint).int64(value);

function attribute(w: BinaryWriter, name: string, value: Attribute): void {
  text(w, 1, name);
  if (typeof value === 'string') {
    text(w, 4, value);
    int(w, 20, attributeType.string);
  } else if (typeof value === 'number') {
    int(w, 3, value);
    int(w, 20, attributeType.int);
  } else if ('float' in value) {
    w.tag(2, wire.fixed32).float(value.float);
    int(w, 20, attributeType.float);
  } else {
    for (const n of value) int(w, 8, n);
    int(w, 20, attributeType.ints);
  }
}

function node(w: BinaryWriter, n: OnnxNode): void {
  for (const name of n.inputs) text(w, 1, name);
  for (const name of n.outputs) text(w, 2, name);
  text(w, 3, n.outputs[0]!);
  text(w, 4, n.opType);
  for (const [name, value] of Object.entries(n.attributes)) nested(w, 5, () => attribute(w, name, value));
  if (n.domain) text(w, 7, n.domain);
}

function tensor(w: BinaryWriter, t: OnnxTensor): void {
  for (const n of t.shape) int(w, 1, n);
  int(w, 2, elementType[t.dtype]);
  text(w, 8, t.name);
  if ('raw' in t.data) {
    w.tag(9, wire.delimited).bytes(t.data.raw);
    return;
  }
  const { location, offset, bytes } = t.data;
  for (const [key, value] of Object.entries({ location, offset: `${offset}`, length: `${bytes}` }))
    nested(w, 13, () => {
      text(w, 1, key);
      text(w, 2, value);
    });
  int(w, 14, 1);
}

function value(w: BinaryWriter, v: OnnxValue): void {
  text(w, 1, v.name);
  nested(w, 2, () =>
    nested(w, 1, () => {
      int(w, 1, elementType[v.dtype]);
      nested(w, 2, () => {
        for (const n of v.shape) nested(w, 1, () => (typeof n === 'number' ? int(w, 1, n) : text(w, 2, n)));
      });
    }),
  );
}

/** The model as the bytes of a ModelProto. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const w = new BinaryWriter();
  int(w, 1, irVersion);
  text(w, 2, 'culprit');
  nested(w, 7, () => {
    for (const n of model.nodes) nested(w, 1, () => node(w, n));
    text(w, 2, 'culprit');
    for (const t of model.initializers) nested(w, 5, () => tensor(w, t));
    for (const v of model.inputs) nested(w, 11, () => value(w, v));
    for (const v of model.outputs) nested(w, 12, () => value(w, v));
  });
  for (const [domain, version] of Object.entries(opsets))
    nested(w, 8, () => {
      text(w, 1, domain);
      int(w, 2, version);
    });
  return w.finish();
}
