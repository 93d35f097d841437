/** Subjects compared on the tiny study: held against its own causal test, gone on with, refused. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../../src/files/safetensors.ts';
import { residualPass } from '../../../src/methods/site/residuals.ts';
import { type CheckpointsRecord, checkpointsSchema, steeredRecord } from '../../../src/results.ts';
import { nodeRuntime } from '../../../src/runtime/node.ts';
import { readAttributionArrays } from '../../../src/study/attribution/attributionFiles.ts';
import { compareSubjects, type SubjectsRequest } from '../../../src/study/checkpoints/subjectsRun.ts';
import { openModel } from '../../../src/study/open/openModel.ts';
import { openSae } from '../../../src/study/open/openSae.ts';
import { readSteering } from '../../../src/study/open/records.ts';
import { runStudy } from '../../../src/study/run/studyRun.ts';
import { type Tensor, tensor } from '../../../src/tensor.ts';
import { culpritHere } from '../../support/cliHere.ts';
import { recordedStages } from '../../support/recordedStages.ts';
import {
  adapterFactors,
  layer,
  put,
  putAll,
  putModel,
  type TinyFolder,
  width,
} from '../../support/tinyFolder.ts';
import { tinyModel } from '../../support/tinyModel.ts';
import { putStudy, smallSteering } from '../../support/tinyStudy.ts';

const root = mkdtempSync(join(tmpdir(), 'culprit-compare-'));
const at = (...parts: string[]) => join(root, ...parts);
const seed = 3;
const steering = {
  ...smallSteering,
  selectors: ['delta-attribution'],
  gaussian: 0,
  completions: 3,
  aside: 0,
  full: true,
  seed,
};
let tiny: TinyFolder;
let half: string;
let own: CheckpointsRecord;

const compare = (over: Partial<SubjectsRequest> = {}) =>
  compareSubjects({
    study: at('study'),
    subjects: [half],
    cacheDir: tiny.cache,
    randomRemoved: 3,
    seed,
    ...over,
  });

/** The adapter with half of its change: as if it were on its way. */
async function putHalf(folder: string): Promise<string> {
  cpSync(tiny.adapter, folder, { recursive: true });
  const halved = [...adapterFactors()].map(([name, one]): [string, Tensor] => {
    const { shape, data } = one as Tensor<'f32'>;
    return [
      name,
      name.includes('lora_B')
        ? tensor(
            'f32',
            shape,
            data.map((x) => x / 2),
          )
        : one,
    ];
  });
  await writeSafetensors(join(folder, 'adapter_model.safetensors'), new Map(halved));
  return folder;
}

beforeAll(async () => {
  tiny = await putAll(root);
  half = await putHalf(at('steps', 'half'));
  const prompts = { file: 'prompts.jsonl', discovery: 6, evaluation: 4, calibration: 3 };
  putStudy(at('study'), tiny, { reference: { model: tiny.model }, prompts, steering });
  expect((await runStudy({ study: at('study'), cacheDir: tiny.cache })).stopped).toBeUndefined();
  own = (await compare()).record!;
}, 120_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('subjects compared', () => {
  it('are the reference, those that were named, and the study’s own', () => {
    expect(own.subjects.map(({ name, role }) => [name, role])).toEqual([
      ['reference', 'reference'],
      ['half', 'checkpoint'],
      ['subject', 'subject'],
    ]);
    expect(own.subjects[1]).toMatchObject({ model: tiny.model, adapter: half });
    expect(
      checkpointsSchema.parse(JSON.parse(readFileSync(at('study', 'checkpoints.json'), 'utf8'))),
    ).toEqual(own);
  });

  it('say of the study’s own subject what the causal test has said, of the same seed', async () => {
    const { rows, summary } = await readSteering(at('study'));
    const subject = own.subjects.at(-1)!;
    expect(own.norm).toBe(summary.norm.away);
    expect(subject.unsteered).toMatchObject(summary.alone.away);
    const removed = (latent: number | null) =>
      rows.find((row) => row.latent === latent && row.operation === 'remove')!;
    for (const { latent, remove } of subject.latents) {
      expect(remove.effect.value).toBeCloseTo(removed(latent).effect!, 6);
      expect(remove.effect.low).toBeCloseTo(removed(latent).low!, 6);
    }
    for (const [k, latent] of own.random.entries())
      expect(subject.random.effects[k]).toBeCloseTo(removed(latent).effect!, 6);
    const test = readFileSync(at('study', 'steered.jsonl'), 'utf8').trimEnd().split('\n');
    const alone = test
      .map((line) => steeredRecord.parse(JSON.parse(line)))
      .find((one) => one.kind === 'trial' && one.id === 'away/alone/evaluation')!;
    const tokens = alone.kind === 'trial' ? alone.completions.map((one) => one.tokens) : [];
    expect(subject.unsteered.mean_tokens).toBeCloseTo(
      tokens.reduce((sum, x) => sum + x, 0) / tokens.length,
      9,
    );
  });

  it('lie along a latent as their own unsteered answers do', async () => {
    const journal = readdirSync(at('study', '.work')).filter((name) => name.startsWith('compare-'));
    const { baseline } = await readAttributionArrays(at('study'));
    const { latent, sign } = own.latents[0]!;
    const direction = await (await openSae(tiny.sae)).decoderRows(latent, latent + 1);
    const { model, codec } = await openModel(tiny.model, { adapter: half, cacheDir: tiny.cache });
    const runtime = nodeRuntime();
    const pass = await residualPass(runtime, model, layer);
    const asked = new Map(
      readFileSync(at('study', 'prompts.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { id: string; prompt: string })
        .map(({ id, prompt }) => [id, prompt]),
    );
    const found: number[] = [];
    for (const name of journal) {
      const records = readFileSync(at('study', '.work', name), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).record);
      const alone = records.find((one) => one.kind === 'trial' && one.id === 'away/alone/evaluation');
      const values: number[] = [];
      for (const { prompt_id, text } of alone.completions) {
        if (text === '') continue;
        const prompt = asked.get(prompt_id)!;
        const start = codec.encodePrompt(prompt);
        const { activation, places } = await pass.run([...start, ...codec.encodeCompletion(prompt, text)]);
        const kept = places.filter((place) => place >= start.length);
        const along = kept.map((place) =>
          direction.reduce((sum, x, i) => sum + x * (activation[place * width + i]! - baseline[i]!), 0),
        );
        values.push((sign * along.reduce((sum, x) => sum + x, 0)) / kept.length);
      }
      found.push(values.reduce((sum, x) => sum + x, 0) / values.length);
    }
    await runtime.close();
    // one of the three journals is that of the half adapter
    const told = own.subjects[1]!.latents[0]!.activation.value!;
    expect(Math.min(...found.map((x) => Math.abs(x - told)))).toBeLessThan(1e-4);
  });

  it('are sampled once: one that is added leaves the others as they are', async () => {
    const again = recordedStages();
    const more = await compare({
      subjects: [half, tiny.adapter, await putHalf(at('more', 'half'))],
      out: at('out'),
      progress: again.progress,
    }).catch((error: Error) => error.message);
    expect(more).not.toBeTypeOf('string');
    // the copy of the half adapter is the same files, and so the same journal
    expect(again.stages.filter(([label]) => label.includes('removed and steered'))).toEqual([]);
    const { record } = more as Awaited<ReturnType<typeof compare>>;
    expect(record!.subjects.map(({ name }) => name)).toEqual([
      'reference',
      'steps/half',
      'adapter',
      'more/half',
    ]);
    expect(record!.subjects[2]!.role).toBe('subject');
    expect(record!.subjects[1]!.latents).toEqual(record!.subjects[3]!.latents);
  });

  it('are told on the terminal, with what speaks against it', async () => {
    const { code, stdout } = await culpritHere([
      'compare',
      at('study'),
      half,
      '--random-removed',
      '3',
      '--seed',
      `${seed}`,
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Over 3 subjects, on 4 prompts/);
    expect(stdout).toContain('What speaks against it');
    expect(stdout).toMatch(/half .*\[/);
  });
});

it('subjects of one name are told apart by as much of their paths as it takes; the reference may be named', async () => {
  const paths = [await putHalf(at('a', 'x', 'half')), await putHalf(at('b', 'x', 'half')), tiny.model];
  const { record } = await compare({ subjects: paths, out: at('named') });
  const [first, second, ...rest] = record!.subjects;
  expect([first!.name, second!.name]).toEqual(['a/x/half', 'b/x/half']);
  expect(rest.map(({ name, role }) => [name, role])).toEqual([
    ['model', 'reference'],
    ['subject', 'subject'],
  ]);
});

describe('what cannot be compared is refused in one line:', () => {
  const refused = (over: Partial<SubjectsRequest>) =>
    compare({ out: at('refused'), ...over }).then(
      () => 'nothing',
      (error: Error) => error.message,
    );

  it('a subject twice, a model of another width, no such folder', async () => {
    expect(await refused({ subjects: [half, half] })).toMatch(
      /half: expected each subject once, found it named as half too$/,
    );
    const wide = await putModel(at('wide'), tinyModel({ config: { vocab_size: 272, hidden_size: 32 } }));
    expect(await refused({ subjects: [wide] })).toMatch(/wide: expected a model of width 16, .* found 32$/);
    expect(await refused({ subjects: [at('nowhere')] })).toMatch(/nowhere: no such file or folder/);
  });

  it('a study that has had no causal test', async () => {
    putStudy(at('bare'), tiny);
    put(at('bare', 'note.txt'), 'nothing ran here');
    expect(await refused({ study: at('bare') })).toMatch(/steering\.parquet: no such file: `culprit steer/);
  });
});
