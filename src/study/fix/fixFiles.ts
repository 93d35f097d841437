/** The files of a fix: what was found, the completions, and the vectors that it takes. */
import { join } from 'node:path';
import { replaceFile } from '../../files/atomic.ts';
import { readJson } from '../../files/jsonFile.ts';
import { writeSafetensors } from '../../files/safetensors.ts';
import { checked } from '../../files/schema.ts';
import type { Steering } from '../../methods/steering/steer.ts';
import { type FixRecord, fixSchema, resultFiles, type TrialRecord } from '../../results.ts';
import { tensor } from '../../tensor.ts';
import type { OpenStudy } from '../open/study.ts';

export const fixFiles = [resultFiles.fix, resultFiles.fixed, resultFiles.fixVectors];

/** Throws InputError where the file is damaged. */
export async function readFix(folder: string): Promise<FixRecord> {
  const path = join(folder, resultFiles.fix);
  return checked(fixSchema, await readJson(path), path);
}

const stacked = (vectors: readonly Float32Array[], d: number): Float32Array => {
  const out = new Float32Array(vectors.length * d);
  for (const [k, vector] of vectors.entries()) out.set(vector, k * d);
  return out;
};

/**
 * fix.safetensors: of K held projections `directions` and `dual` [K, d], `low` and `high` [K], and `baseline` [d]; a_t ←
 * a_t + Σ_k (min(max(p_k, low_k), high_k) − p_k) dual_k with p_k = a_t · directions_k. Without a fix the baseline alone.
 * What it is of stands in its metadata.
 */
async function writeVectors(
  { folder, config }: Pick<OpenStudy, 'folder' | 'config'>,
  record: FixRecord,
  steering: Steering | undefined,
  baseline: Float32Array,
): Promise<void> {
  const d = baseline.length;
  const held = steering?.held ?? [];
  const K = held.length;
  const column = (of: (one: (typeof held)[number]) => number) =>
    tensor('f32', [K], Float32Array.from(held, of));
  await writeSafetensors(
    join(folder, resultFiles.fixVectors),
    {
      ...(K > 0 && {
        directions: tensor(
          'f32',
          [K, d],
          stacked(
            held.map(({ direction }) => direction),
            d,
          ),
        ),
        dual: tensor(
          'f32',
          [K, d],
          stacked(
            held.map(({ dual }) => dual),
            d,
          ),
        ),
        low: column(({ low }) => low),
        high: column(({ high }) => high),
      }),
      baseline: tensor('f32', [d], baseline),
    },
    {
      format: 'culprit-fix-1',
      behaviour: config.behaviour.name,
      site: record.site,
      tokens: record.tokens,
      operation: record.fix?.operation ?? 'none',
      latents: JSON.stringify(record.fix?.latents ?? []),
    },
  );
}

export async function writeFix(
  study: OpenStudy,
  {
    record,
    trials,
    steering,
    baseline,
  }: {
    readonly record: FixRecord;
    readonly trials: readonly TrialRecord[];
    readonly steering: Steering | undefined;
    readonly baseline: Float32Array;
  },
): Promise<void> {
  const { folder } = study;
  const lines = [...trials].sort((a, b) => (a.id < b.id ? -1 : 1)).map((one) => `${JSON.stringify(one)}\n`);
  await replaceFile(join(folder, resultFiles.fixed), async (file) => {
    for (const line of lines) await file.writeFile(line);
  });
  await writeVectors(study, record, steering, baseline);
  await replaceFile(join(folder, resultFiles.fix), (file) =>
    file.writeFile(`${JSON.stringify(record, undefined, 1)}\n`),
  );
}
