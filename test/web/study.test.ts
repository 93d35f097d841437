/** A study over a source: files decoded once, missing ones undefined, damaged ones told with their place. */
import { expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { encodeLatents, encodeSteering } from '../../src/results.ts';
import { loadStudy } from '../../src/web/study.ts';
import { heldSource } from './support/heldSource.ts';
import { latentRow, manifest, stage, steered, summary } from './support/studyParts.ts';

const completion = {
  prompt_id: 'q',
  index: 0,
  text: 'x',
  tokens: 1,
  stop: 'end',
  score: 1,
  label: 'positive',
  coherence: 1,
  coherent: true,
  reason: '',
};
const trial = (
  latent: number | null,
  dose: number,
  direction = latent === null ? null : `latent ${latent}`,
) =>
  JSON.stringify({
    kind: 'trial',
    id: `away/${direction}/${dose}`,
    side: 'away',
    direction,
    latent,
    operation: direction === null ? null : 'add',
    dose,
    part: 'evaluation',
    content: 'c',
    completions: [completion],
    cost: { calls: 0, price: 0 },
  });
const forced = JSON.stringify({
  kind: 'forced',
  id: 'f',
  side: 'away',
  direction: 'latent 3',
  latent: 3,
  operation: 'add',
  dose: 0.2,
  content: 'c',
  estimate: 0,
  log_odds: 0,
  damage: 0,
});

it('an empty folder: everything is undefined', async () => {
  const study = loadStudy(heldSource({}));
  const all = [
    study.manifest(),
    study.yaml(),
    study.latents(),
    study.steering(),
    study.trials(3),
    study.page(3),
    study.pairs(),
    study.pairTokens(),
    study.completions(),
    study.grades(),
  ];
  expect(await Promise.all(all)).toEqual(all.map(() => undefined));
  expect(await study.pageNumbers()).toEqual(new Set());
});

it('decodes each file once; a changed one again, the others not', async () => {
  const files: Record<string, string | ArrayBuffer> = {
    'latents.parquet': encodeLatents([latentRow(5, 1, 0.5)]),
    'study.yaml': 'a: 1',
  };
  const source = heldSource(files);
  const study = loadStudy(source);
  expect(await study.latents()).toMatchObject([{ latent: 5, rank: 1, delta: 0.5 }]);
  await Promise.all([study.latents(), study.yaml()]);
  expect(source.reads).toEqual(['latents.parquet', 'study.yaml']);
  files['study.yaml'] = 'a: 2';
  files['latents/5.json'] = '{}';
  const next = study.without(['study.yaml', 'latents/5.json']);
  expect(await next.yaml()).toBe('a: 2');
  expect(await next.latents()).toBe(await study.latents());
  expect([...(await next.pageNumbers())]).toEqual([5]);
  expect(source.reads).toEqual(['latents.parquet', 'study.yaml', 'study.yaml']);
});

it('steering needs both of its files', async () => {
  const rows = steered(320, -0.3, 0.2);
  const files = { 'steering.parquet': encodeSteering(rows) };
  expect(await loadStudy(heldSource(files)).steering()).toBeUndefined();
  const whole = { ...files, 'steering.json': JSON.stringify(summary()) };
  const found = await loadStudy(heldSource(whole)).steering();
  expect(found!.rows.map(({ latent, side, ranks }) => [latent, side, ranks])).toEqual([
    [320, 'away', { 'delta-attribution': 1 }],
    [320, 'toward', { 'delta-attribution': 1 }],
  ]);
  expect(found!.summary.behaviour).toBe('flattery');
});

it('trials along a latent and those with nothing done, without log-odds and other directions; or all', async () => {
  const lines = [trial(null, 0), trial(3, -0.2), forced, trial(null, -0.3, 'probe'), trial(3, -0.1), ''];
  const study = loadStudy(heldSource({ 'steered.jsonl': lines.join('\n') }));
  const doses = (trials: readonly { readonly dose: number }[]) => trials.map(({ dose }) => dose);
  const found = (await study.trials(3))!;
  expect([doses(found.along), doses(found.alone)]).toEqual([[-0.2, -0.1], [0]]);
  expect((await study.trials(4))!.along).toEqual([]);
  expect(doses((await study.allTrials())!)).toEqual([0, -0.2, -0.3, -0.1]);
});

it('says which line of which file is wrong', async () => {
  const study = loadStudy(
    heldSource({
      'pairs.jsonl': '{"id": "a"}\n',
      'grades.jsonl': '\n{"id": \n',
      'steered.jsonl': `${trial(3, 0.1)}\n{"kind": "trial", "latent": 4}\n`,
    }),
  );
  await expect(study.pairs()).rejects.toThrow(/^pairs\.jsonl:1: .*prompt_id/s);
  await expect(study.grades()).rejects.toThrow(/^grades\.jsonl:2: expected JSON/);
  expect((await study.trials(3))!.along).toHaveLength(1);
  await expect(study.trials(4)).rejects.toThrow(/^steered\.jsonl:2: /);
});

it.each([
  ['null', 'null'],
  ['a number', '7'],
  ['an array', '[]'],
  ['a trial of no latent', '{"kind": "trial", "direction": null}'],
])('says where a line among the trials is wrong: %s', async (_, line) => {
  const study = loadStudy(heldSource({ 'steered.jsonl': `${trial(3, 0.1)}\n${line}\n` }));
  const told = await study.trials(3).then(String, (error: Error) => error);
  expect(told).toBeInstanceOf(InputError);
  expect((told as Error).message).toMatch(/^steered\.jsonl:2: /);
});

it('the manifest of one command stands as its only stage', async () => {
  const { key, inputs, options, counts, seconds, versions } = stage({ pairs: 7 });
  const run = {
    command: 'attribute',
    created: '2026-01-01T00:00:00.000Z',
    key,
    inputs,
    options,
    counts,
    seconds,
    versions,
  };
  const study = loadStudy(heldSource({ 'manifest.json': JSON.stringify(run) }));
  expect(await study.manifest()).toMatchObject({
    command: 'study',
    stages: { attribute: { counts: { pairs: 7 }, finished: '2026-01-01T00:00:00.000Z' } },
  });
  const whole = manifest({ pair: stage({ pairs: 2 }) });
  expect(await loadStudy(heldSource({ 'manifest.json': JSON.stringify(whole) })).manifest()).toEqual(whole);
});
