/**
 * Rows of sharded data in a seeded random order, epoch after epoch, from any position on. Keeps one group
 * of shards in memory.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { generatorOf } from '../statistics/random.ts';

/** Part of a set of rows [rows, d]. */
export interface RowShard {
  readonly tokens: number;
  read(): Promise<Float32Array>;
}

/** Values of a group: 2^28 float32, 1 GiB. */
const groupValues = 2 ** 28;

/** A random order of 0..n−1; the same for the same numbers. */
function order(n: number, ...seeds: readonly number[]): Uint32Array {
  const random = generatorOf(seeds.reduce((mixed, s) => (Math.imul(mixed, 0x85ebca6b) ^ s) | 0, 0));
  const places = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = uniformInt(random, 0, i);
    [places[i], places[j]] = [places[j]!, places[i]!];
  }
  return places;
}

interface Group {
  readonly shards: readonly number[];
  readonly rows: number;
}

interface LoadedGroup {
  readonly rows: (i: number) => Float32Array;
  readonly order: Uint32Array;
}

/**
 * In each epoch shards are shuffled, put into groups of at most a GiB, and the rows of a group shuffled: a
 * set that fits into memory is shuffled as a whole. What comes at a position depends on shards, seed and
 * position alone.
 */
export class RowStream {
  readonly total: number;
  private readonly memory = new Map<number, Float32Array>();
  private loaded: (LoadedGroup & { key: string }) | undefined;
  private grouped: { epoch: number; groups: readonly Group[] } | undefined;

  constructor(
    private readonly shards: readonly RowShard[],
    private readonly width: number,
    private readonly seed: number,
    private readonly limit = groupValues,
  ) {
    this.total = shards.reduce((sum, { tokens }) => sum + tokens, 0);
    if (this.total === 0) throw new RangeError('RowStream: no rows');
  }

  /** Rows number position .. position + count − 1 of the stream, [count, d]. */
  async rows(position: number, count: number): Promise<Float32Array> {
    const out = new Float32Array(count * this.width);
    for (let done = 0; done < count; ) {
      const epoch = Math.floor((position + done) / this.total);
      let start = (position + done) % this.total;
      let g = 0;
      const groups = this.groupsOf(epoch);
      while (start >= groups[g]!.rows) start -= groups[g++]!.rows;
      const { rows, order: places } = await this.load(epoch, g, groups[g]!);
      for (; start < groups[g]!.rows && done < count; start++, done++)
        out.set(rows(places[start]!), done * this.width);
    }
    return out;
  }

  private groupsOf(epoch: number): readonly Group[] {
    if (this.grouped?.epoch === epoch) return this.grouped.groups;
    const groups: { shards: number[]; rows: number }[] = [];
    for (const shard of order(this.shards.length, this.seed, epoch)) {
      const { tokens } = this.shards[shard]!;
      const last = groups.at(-1);
      if (last && (last.rows + tokens) * this.width <= this.limit) {
        last.shards.push(shard);
        last.rows += tokens;
      } else groups.push({ shards: [shard], rows: tokens });
    }
    this.grouped = { epoch, groups };
    return groups;
  }

  private async load(epoch: number, g: number, { shards, rows }: Group): Promise<LoadedGroup> {
    const key = `${epoch}.${g}`;
    if (this.loaded?.key === key) return this.loaded;
    const wanted = new Set(shards);
    for (const shard of this.memory.keys()) if (!wanted.has(shard)) this.memory.delete(shard);
    for (const shard of shards)
      if (!this.memory.has(shard)) this.memory.set(shard, await this.shards[shard]!.read());
    this.loaded = { key, order: order(rows, this.seed, epoch, g), rows: this.reader(shards) };
    return this.loaded;
  }

  /** Row i of the shards one after another. */
  private reader(shards: readonly number[]): (i: number) => Float32Array {
    const ends: number[] = [];
    for (const shard of shards) ends.push((ends.at(-1) ?? 0) + this.shards[shard]!.tokens);
    const data = shards.map((shard) => this.memory.get(shard)!);
    return (i) => {
      let low = 0;
      for (let high = ends.length - 1; low < high; ) {
        const middle = (low + high) >> 1;
        if (i < ends[middle]!) high = middle;
        else low = middle + 1;
      }
      const at = (i - (ends[low - 1] ?? 0)) * this.width;
      return data[low]!.subarray(at, at + this.width);
    };
  }
}
