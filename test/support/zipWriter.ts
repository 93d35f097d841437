/** Zip files with chosen flaws: each entry stored or deflated, its sizes and checksum as told. */
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipMember {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly deflated?: boolean;
  /** in place of the true ones */
  readonly says?: {
    readonly bytes?: number;
    readonly crc?: number;
    readonly method?: number;
    readonly flags?: number;
  };
  /** the values begin at a multiple of this, as torch.save has them */
  readonly aligned?: number;
}

const numbers = (...fields: readonly (readonly [bytes: 2 | 4, value: number])[]): Buffer =>
  Buffer.concat(
    fields.map(([size, value]) => {
      const buffer = Buffer.alloc(size);
      if (size === 2) buffer.writeUInt16LE(value & 0xffff);
      else buffer.writeUInt32LE(value >>> 0);
      return buffer;
    }),
  );

/** The bytes of a zip file of these members, in their order. */
export function zipFile(members: readonly ZipMember[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, bytes, deflated = false, says = {}, aligned = 1 } of members) {
    const packed = deflated ? deflateRawSync(bytes) : Buffer.from(bytes);
    const title = Buffer.from(name);
    const common: readonly (readonly [2 | 4, number])[] = [
      [2, 20],
      [2, says.flags ?? 0],
      [2, says.method ?? (deflated ? 8 : 0)],
      [4, 0],
      [4, says.crc ?? crc32(bytes)],
      [4, packed.length],
      [4, says.bytes ?? bytes.length],
      [2, title.length],
    ];
    const padding = (aligned - ((at + 30 + title.length) % aligned)) % aligned;
    const local = numbers([4, 0x04034b50], ...common, [2, padding]);
    directory.push(
      numbers([4, 0x02014b50], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [2, 0], [4, 0], [4, at]),
      title,
    );
    parts.push(local, title, Buffer.alloc(padding), packed);
    at += local.length + title.length + padding + packed.length;
  }
  const index = Buffer.concat(directory);
  const end = numbers(
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, members.length],
    [2, members.length],
    [4, index.length],
    [4, at],
    [2, 0],
  );
  return Buffer.concat([...parts, index, end]);
}
