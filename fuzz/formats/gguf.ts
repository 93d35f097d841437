/** GGUF files: header, tensors, and the tokenizer and config in the metadata. */
import { join } from 'node:path';
import { withFile } from '../../src/files/bytes.ts';
import { packings } from '../../src/files/dequantise.ts';
import { readGguf } from '../../src/files/gguf.ts';
import { dequantisedPieces, layOut } from '../../src/files/plannedTensors.ts';
import { tokenizerOfGguf } from '../../src/files/textCodec.ts';
import { familyOfGguf, readDecoder } from '../../src/models/families.ts';
import { each, type Format, type Part, promised } from '../format.ts';
import { bytesOf, field, items, type Tree, textOf, whole } from '../tree.ts';
import { floats } from './safetensors.ts';
import { readCodec, spelledBytes } from './tokenizer.ts';

const u32 = (tree: Tree | undefined): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(Number(whole(tree, 32)));
  return bytes;
};

const u64 = (tree: Tree | undefined): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(whole(tree, 64));
  return bytes;
};

const sized = (tree: Tree | undefined): Buffer => {
  const bytes = bytesOf(tree);
  return Buffer.concat([u64(bytes.length), bytes]);
};

/** Widths of the value types that are numbers, by type. */
const widths: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 7: 1, 10: 8, 11: 8 };

function value(type: number, tree: Tree | undefined): Buffer {
  if (type === 8) return sized(tree);
  if (type === 9) {
    const inner = Number(whole(field(tree, 'type'), 32));
    const found = items(field(tree, 'items'));
    const count = field(tree, 'count') ?? null;
    return Buffer.concat([
      u32(inner),
      u64(count === null ? found.length : count),
      ...found.map((one) => value(inner, one)),
    ]);
  }
  const bytes = Buffer.alloc(8);
  if (type === 6) bytes.writeFloatLE(Number(textOf(tree)) || 0);
  else if (type === 12) bytes.writeDoubleLE(Number(textOf(tree)) || 0);
  else bytes.writeBigUInt64LE(whole(tree, 64));
  return bytes.subarray(0, type === 6 ? 4 : type === 12 ? 8 : (widths[type] ?? 4));
}

const aligned = (bytes: Buffer): Buffer => Buffer.concat([bytes], Math.ceil(bytes.length / 32) * 32);

/** null for a count stands for the right one. */
function write(tree: Tree): Uint8Array {
  const [entries, tensors] = [items(field(tree, 'entries')), items(field(tree, 'tensors'))];
  const counted = (key: string, own: number) => {
    const given = field(tree, key) ?? null;
    return u64(given === null ? own : given);
  };
  const head = Buffer.concat([
    bytesOf(field(tree, 'magic')),
    u32(field(tree, 'version')),
    counted('tensorCount', tensors.length),
    counted('entryCount', entries.length),
    ...entries.flatMap((entry) => {
      const type = Number(whole(field(entry, 'type'), 32));
      return [sized(field(entry, 'key')), u32(type), value(type, field(entry, 'value'))];
    }),
    ...tensors.flatMap((tensor) => {
      const shape = items(field(tensor, 'shape'));
      const count = field(tensor, 'dimensions') ?? null;
      return [
        sized(field(tensor, 'name')),
        u32(count === null ? shape.length : count),
        ...shape.map(u64),
        u32(field(tensor, 'type')),
        u64(field(tensor, 'offset')),
      ];
    }),
  ]);
  return Buffer.concat([aligned(head), bytesOf(field(tree, 'data'))]);
}

/** A metadata entry of the type that its value suggests. */
function entryOf([key, found]: readonly [string, unknown]): Tree {
  if (typeof found === 'string') return { key, type: 8, value: found };
  if (typeof found === 'boolean') return { key, type: 7, value: Number(found) };
  if (typeof found === 'number') return { key, type: Number.isInteger(found) ? 4 : 6, value: found };
  const list = found as (string | number)[];
  const type = typeof list[0] === 'string' ? 8 : Number.isInteger(list[0]) ? 5 : 6;
  return { key, type: 9, value: { type, count: null, items: [...list] } };
}

/** Dimensions of a shape stand in a GGUF from the last to the first. */
export function ggufPart(
  metadata: Readonly<Record<string, unknown>>,
  tensors: readonly (readonly [name: string, type: number, shape: readonly number[], bytes: Uint8Array])[],
): Part {
  let end = 0;
  const listed = tensors.map(([name, type, shape, bytes]) => {
    const offset = end;
    end += Math.ceil(bytes.length / 32) * 32;
    return { name, dimensions: null, shape: [...shape].reverse(), type, offset };
  });
  const tree: Tree = {
    magic: 'GGUF',
    version: 3,
    tensorCount: null,
    entryCount: null,
    entries: Object.entries(metadata).map(entryOf),
    tensors: listed,
    data: Buffer.concat(tensors.map(([, , , bytes]) => aligned(Buffer.from(bytes)))),
  };
  return { tree, write };
}

const chat = "{% for m in messages %}<s>{{ m['role'] }}\n{{ m['content'] }}</s>{% endfor %}";
const bytes = spelledBytes();
const byteLevel = {
  'tokenizer.ggml.model': 'gpt2',
  'tokenizer.ggml.pre': 'gpt-2',
  'tokenizer.ggml.tokens': [...bytes, 'Ġt', 'he', 'Ġthe', '<s>', '</s>'],
  'tokenizer.ggml.token_type': [...bytes.map(() => 1), 1, 1, 1, 3, 3],
  'tokenizer.ggml.merges': ['Ġ t', 'h e', 'Ġt he'],
  'tokenizer.ggml.bos_token_id': 259,
  'tokenizer.ggml.eos_token_id': 260,
  'tokenizer.chat_template': chat,
};
const pieces = ['<unk>', '<s>', '</s>', '<0x0A>', '▁', 't', 'h', 'e', '▁t', 'he', '▁the', '  '];
const sentencePiece = {
  'tokenizer.ggml.model': 'llama',
  'tokenizer.ggml.tokens': pieces,
  'tokenizer.ggml.scores': pieces.map((_, i) => -i - 0.5),
  'tokenizer.ggml.token_type': [2, 3, 3, 6, ...pieces.slice(4).map(() => 1)],
  'tokenizer.ggml.bos_token_id': 1,
  'tokenizer.ggml.eos_token_id': 2,
  'tokenizer.ggml.add_bos_token': true,
};
const llama = {
  'general.architecture': 'llama',
  'general.alignment': 32,
  'llama.block_count': 1,
  'llama.context_length': 16,
  'llama.embedding_length': 8,
  'llama.feed_forward_length': 8,
  'llama.attention.head_count': 2,
  'llama.attention.head_count_kv': 1,
  'llama.attention.layer_norm_rms_epsilon': 0.00001,
  'llama.rope.freq_base': 10000.5,
};

export const gguf: Format = {
  name: 'gguf',
  seeds: () => [
    { 'a.gguf': ggufPart({ ...llama, ...byteLevel }, [['token_embd.weight', 0, [4, 8], floats(32)]]) },
    {
      'a.gguf': ggufPart({ ...llama, ...sentencePiece }, [
        ['blk.0.attn_q.weight', 0, [8, 8], floats(64)],
        ['blk.0.attn_norm.weight', 0, [8], floats(8)],
      ]),
    },
    {
      'a.gguf': ggufPart(
        { 'general.architecture': 'llama' },
        (['Q4_0', 'Q8_0', 'Q4_K', 'Q6_K', 'F16'] as const).map((name) => {
          const { id, blockBytes, blockElements } = packings[name];
          const own = Uint8Array.from({ length: blockBytes }, (_, i) => (i * 37) % 120);
          return [name, id, [1, blockElements], own] as const;
        }),
      ),
    },
  ],
  async read(folder) {
    const path = join(folder, 'a.gguf');
    await each(async () => {
      const file = await readGguf(path);
      await each(
        () => readCodec(() => tokenizerOfGguf(file.metadata, path)),
        () => {
          const family = familyOfGguf(file.metadata, path);
          readDecoder(family, family.gguf.config(file.metadata, file.tensors, path), path);
        },
        async () => {
          const laid = layOut(
            file,
            [...file.tensors.keys()].map((source) => ({ source, target: source })),
          );
          await withFile(path, async (source) => {
            for (const tensor of laid) {
              let count = 0;
              for await (const piece of dequantisedPieces(source, tensor)) count += piece.length;
              const expected = tensor.shape.reduce((product, n) => product * n, 1);
              promised(count === expected, `${count} values of ${expected}`);
            }
          });
        },
      );
    });
  },
};
