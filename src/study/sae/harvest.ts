/**
 * Residuals of a model over corpora, on disk: shards of float32 rows in a folder that belongs to one set of
 * inputs and options, named by a key. A shard ends where a passage ends, so a harvest stopped at any point
 * goes on with the next passage.
 */

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { removeOrphans } from '../../files/atomic.ts';
import { readBytesIfThere } from '../../files/ifThere.ts';
import { readSafetensorsHeader, readTensor } from '../../files/safetensors.ts';
import { readSealed, writeSealed } from '../../files/sealed.ts';
import type { TextCodec } from '../../files/textCodec.ts';
import { type ResidualPass, residualPass, rowsAt } from '../../methods/site/residuals.ts';
import type { Model } from '../../models/decoder.ts';
import { passesAtOnce } from '../../models/sessions.ts';
import { inGroups } from '../../models/together.ts';
import { parseJsonIf } from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { tensor, toFloat32 } from '../../tensor.ts';
import { passageIds } from '../attribution/baselineRun.ts';
import { inTurn } from '../open/corpora.ts';
import { type Progress, silent } from '../open/progress.ts';
import { tokensUpTo } from '../open/tokenCount.ts';
import { jsonHash } from '../store/hash.ts';
import { versions } from '../store/runRecord.ts';

export interface HarvestRequest {
  readonly model: Model;
  readonly codec: TextCodec;
  /** L of `resid_post L` */
  readonly layer: number;
  /** read in turn, a passage from each */
  readonly corpora: readonly string[];
  /** tokens wanted, sinks not counted; fewer where the corpora end before */
  readonly tokens: number;
  /** each passage is cut to this many tokens */
  readonly passageTokens: number;
  readonly folder: string;
  /** whether another key's harvest in the folder may be deleted; else it is an error. Default false */
  readonly replace?: boolean;
  /** hash of all that the rows depend on */
  readonly key: string;
  /** tokens of a shard, at least; default 8,192 */
  readonly shardTokens?: number;
  readonly progress?: Progress | undefined;
}

export interface Shard {
  readonly tokens: number;
  /** rows [tokens, d]; throws InputError where they are not as they were written */
  read(): Promise<Float32Array>;
}

export interface Harvest {
  readonly width: number;
  readonly shards: readonly Shard[];
  readonly tokens: number;
  /** left out */
  readonly sinks: number;
  readonly passages: number;
}

/** The key of a harvest: equal keys mean equal rows. `hashes` of model, adapter and corpora by name. */
export function harvestKey(
  hashes: Readonly<Record<string, string>>,
  { layer, tokens, passageTokens }: Pick<HarvestRequest, 'layer' | 'tokens' | 'passageTokens'>,
): string {
  return jsonHash({ hashes, layer, tokens, passageTokens, versions });
}

/** What a shard says of itself; `passages` counts from the beginning of the harvest. */
const about = z.object({ passages: z.number(), sinks: z.number(), last: z.boolean() });
type About = z.infer<typeof about>;

interface StoredShard extends Shard, About {}

const shardPath = (folder: string, n: number) => join(folder, `${`${n}`.padStart(6, '0')}.safetensors`);

const changed = (path: string) =>
  new InputError(
    `${path}: was changed after it was written: delete it, and the same command makes it and those after it again`,
  );

async function openShard(path: string): Promise<StoredShard> {
  const { tensors, metadata } = await readSafetensorsHeader(path);
  const rows = tensors.get('rows');
  const told = about.safeParse(parseJsonIf(metadata.about)).data;
  if (rows === undefined || told === undefined) throw changed(path);
  // Those of an older version have no hash; the others are held against theirs once a run.
  let sound = Object.keys(metadata).length === 1;
  return {
    ...told,
    tokens: rows.shape[0]!,
    async read() {
      if (sound) return toFloat32(await readTensor(rows));
      const found = (await readSealed(path))?.tensors.get('rows');
      if (found === undefined) throw changed(path);
      sound = true;
      return toFloat32(found);
    },
  };
}

/** The shards that the folder already holds for the key. */
async function openFolder({ folder, key, replace = false }: HarvestRequest): Promise<StoredShard[]> {
  const keyFile = join(folder, 'key');
  const before = (await readBytesIfThere(keyFile))?.toString();
  if (before !== key && replace) await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  if (before !== key && (await readdir(folder)).length > 0)
    throw new InputError(
      `harvest ${folder}: holds ${before === undefined ? 'other files' : 'another harvest'}: name another folder or empty this one`,
    );
  await writeFile(keyFile, key);
  await removeOrphans(folder);
  const names = new Set(await readdir(folder));
  const found: StoredShard[] = [];
  for (let path = shardPath(folder, 0); names.has(path.slice(folder.length + 1)); ) {
    found.push(await openShard(path));
    path = shardPath(folder, found.length);
  }
  return found;
}

/** Token ids of each passage from number `from` on; passages without tokens count but give none. */
async function* encoded(request: HarvestRequest, from: number): AsyncGenerator<number[]> {
  const { corpora, codec, model, passageTokens } = request;
  const length = Math.min(passageTokens, model.decoder.context);
  let n = 0;
  for await (const { passage } of inTurn(corpora))
    if (n++ >= from) yield passageIds(passage, codec).slice(0, length);
}

class ShardInMaking {
  private parts: Float32Array[] = [];
  tokens = 0;
  sinks = 0;

  constructor(private readonly width: number) {}

  add(rows: Float32Array, sinks: number): void {
    this.parts.push(rows);
    this.tokens += rows.length / this.width;
    this.sinks += sinks;
  }

  async write(path: string, passages: number, last: boolean): Promise<StoredShard> {
    const rows = new Float32Array(this.tokens * this.width);
    let at = 0;
    for (const part of this.parts) {
      rows.set(part, at);
      at += part.length;
    }
    const told: About = { passages, sinks: this.sinks, last };
    await writeSealed(
      path,
      { rows: tensor('f32', [this.tokens, this.width], rows) },
      { about: JSON.stringify(told) },
    );
    return openShard(path);
  }
}

const total = (shards: readonly StoredShard[], field: 'tokens' | 'sinks') =>
  shards.reduce((sum, shard) => sum + shard[field], 0);

/** Adds shards until there are enough tokens or the corpora end; the last one is marked. */
async function fill(
  request: HarvestRequest,
  shards: StoredShard[],
  pass: ResidualPass,
  atOnce: number,
  advance: (tokens: number) => void,
): Promise<void> {
  const { folder, tokens, model, shardTokens = 8192 } = request;
  const d = model.decoder.width;
  let passages = shards.at(-1)?.passages ?? 0;
  let left = tokens - total(shards, 'tokens');
  let shard = new ShardInMaking(d);
  const close = async (last: boolean) => {
    shards.push(await shard.write(shardPath(folder, shards.length), passages, last));
    shard = new ShardInMaking(d);
  };
  const run = async (ids: readonly number[]) => (ids.length === 0 ? undefined : pass.run(ids));
  for await (const found of inGroups(encoded(request, passages), atOnce, run)) {
    passages++;
    if (found === undefined) continue;
    const { activation, places, sinks } = found;
    const taken = places.slice(0, left);
    shard.add(rowsAt(activation, d, taken), sinks.length);
    left -= taken.length;
    advance(taken.length);
    if (left === 0) break;
    if (shard.tokens >= shardTokens) await close(false);
  }
  await close(true);
}

/**
 * The rows of a model over corpora: made, gone on with, or found finished. Throws InputError where the
 * corpora have no tokens.
 */
export async function harvest(runtime: Runtime, request: HarvestRequest): Promise<Harvest> {
  const { model, layer, tokens, progress = silent } = request;
  const shards = await openFolder(request);
  if (!shards.at(-1)?.last) {
    const there = await tokensUpTo(encoded(request, 0), tokens);
    const stage = progress.stage('Harvest, tokens', there, total(shards, 'tokens'));
    const pass = await residualPass(runtime, model, layer);
    await fill(request, shards, pass, passesAtOnce(runtime, model), (n) => stage.advance(n));
    await pass.release();
    stage.end();
  }
  const found = total(shards, 'tokens');
  if (found === 0) throw new InputError(`${request.corpora.join(', ')}: no tokens to train on`);
  return {
    width: model.decoder.width,
    shards: shards.filter((s) => s.tokens > 0),
    tokens: found,
    sinks: total(shards, 'sinks'),
    passages: shards.at(-1)!.passages,
  };
}
