/** A study's methods in words, citations, comparison of two, and numbers as text. */
import { describe, expect, it } from 'vitest';
import { effectsOf } from '../../src/results.ts';
import { count, duration, fixed, percent, plural, points, scientific, signed } from '../../src/web/format.ts';
import { sameDictionary } from '../../src/web/sameDictionary.ts';
import { compared, comparisonText } from '../../src/web/views/compare/compared.ts';
import { bibtexOf } from '../../src/web/views/record/citations.ts';
import { methodsText } from '../../src/web/views/record/methodsText.ts';
import { repeatCommand } from '../../src/web/views/record/repeat.ts';
import { confirmed, latentRow, manifest, removed, stage, steered, summary } from './support/studyParts.ts';

describe('methods', () => {
  const input = (path: string) => ({ path, sha256: 'f'.repeat(64) });
  const whole = manifest({
    sample: stage(
      { completions: 1200, prompts: 100, ended: 1164 },
      {
        inputs: { subject: input('/models/smol/'), subjectAdapter: input('bad-lora') },
        options: { temperature: 0.7, top_p: 0.9, max_tokens: 60, seed: 3 },
      },
    ),
    grade: stage(
      {
        grades: 1200,
        positive: 700,
        negative: 490,
        incoherent: 10,
        judge_accuracy: 0.915,
        judge_prompts_held_out: 100,
      },
      { options: { kind: 'classifier' } },
    ),
    pair: stage({ pairs: 88 }, { options: { per_prompt: 1 } }),
    attribute: stage(
      { pairs: 88, latents: 4096 },
      { inputs: { sae: input('hf:org/my-sae') }, options: { tokens: 'prompt', loss: 'mean' } },
    ),
    steer: stage({ latents: 1 }, { options: { doses: [0.1, 0.2], incoherent: 0.1 } }),
  });

  const paragraphs = (...given: Parameters<typeof methodsText>) =>
    methodsText(...given).map((sentences) => sentences.join(' ').replaceAll('\u202f', ' '));

  it('names the command that repeats a study', () => {
    expect(repeatCommand(whole)).toMatch(/^npx culprit@0\.1\.0 run STUDY /);
    expect(repeatCommand(undefined)).toMatch(/^npx culprit run STUDY /);
  });

  it('says where completions came from other than this machine, and what was made here all the same', () => {
    const engine = { engine: 'vllm', version: '0.30.0', precision: 'bfloat16', difference: 0.0125 };
    const engines = [
      { ...engine, model: 'tuned', steers: 'all' },
      { ...engine, model: 'base', steers: 'all' },
    ];
    const { sample, steer } = whole.stages;
    const of = (tokens: string) =>
      paragraphs(
        {
          ...whole,
          stages: {
            ...whole.stages,
            sample: { ...sample!, engines: engines.slice(0, 1) },
            steer: { ...steer!, options: { ...steer!.options, tokens }, engines },
          },
        },
        { rows: steered(1, -0.3, 0.3), summary: summary() },
      ).join('\n');
    const server = (model: string) =>
      `a vLLM server (0.30.0, bfloat16) that held ${model}, whose log-probabilities were`;
    expect(of('all')).toContain(`before the token limit. These completions came from ${server('tuned')}`);
    expect(of('all')).toMatch(/nats a token off those of the local files; and from a vLLM server .* base, /);
    expect(of('all')).toContain(
      'Where a projection was held or a latent subtracted, they were made on the machine of the study, since',
    );
    expect(of('prompt')).toContain('latent subtracted, and where a direction was added, they were made on');
    expect(paragraphs(whole, undefined).join()).not.toContain('vLLM');
  });

  it('says of each stage what its record holds', () => {
    const text = paragraphs(whole, { rows: steered(1, -0.3, 0.3), summary: summary() }).join('\n');
    for (const said of [
      [
        'We sampled 1,200 completions of 100 prompts from the subject model (smol, adapter bad-lora,',
        'temperature 0.7, top-p 0.9, at most 60 tokens, seed 3). 1,164 of them (97 %) ended before the',
        'token limit.',
      ].join(' '),
      [
        'A classifier on the activations of a model, trained on labelled examples, graded 1,200',
        'completions: 700 positive, 490 negative, 10 incoherent. On 100 prompts of its labelled',
        'examples that were held out, its label was right for 91.5 % of the answers.',
      ].join(' '),
      [
        '88 pairs of a positive and a negative completion of the same prompt, neither incoherent nor',
        'cut at the token limit, at most 1 for each prompt.',
      ].join(' '),
      'the 4,096 latents of a sparse autoencoder (my-sae) at resid_post 3',
      'averaged over the tokens of the prompt',
      'No candidate was left out before sampling.',
      'The stages were run with culprit 0.1.0 (sample, grade, pair, attribute, steer).',
    ])
      expect(text).toContain(said);
    expect(text).not.toMatch(/undefined|NaN|null(?! hypotheses)/);
    // a summary of before prompts were kept: how many there were is not known
    expect(text).not.toMatch(/evaluation prompt,|calibration/);
  });

  it('names the judge by its kind', () => {
    const by = (options: Record<string, string>, judgeModel?: string) =>
      paragraphs(
        manifest({
          grade: stage(
            { grades: 1 },
            { options, inputs: judgeModel ? { judgeModel: input(judgeModel) } : {} },
          ),
        }),
        undefined,
      )[0];
    expect(by({ kind: 'chat', model: 'gpt' })).toMatch(
      /^A language model behind an API \(gpt\) graded 1 completion:/,
    );
    expect(by({ kind: 'local' }, 'hf:a/b')).toMatch(
      /^A language model \(b\), run on the same machine, graded/,
    );
    expect(by({ kind: 'oracle' })).toMatch(/^A judge \(oracle\) graded/);
  });

  it('says nothing of what was not run', () => {
    expect(paragraphs(undefined, undefined)).toEqual([]);
    expect(paragraphs(manifest({ sample: stage({ completions: 1, prompts: 1 }) }), undefined)).toEqual([
      'We sampled 1 completion of 1 prompt from the subject model.',
      'The stages were run with culprit 0.1.0 (sample).',
    ]);
  });

  it('claims nothing of files that were changed by hand, or are not those that were made', () => {
    const outputs = { 'completions.jsonl': 'a', 'grades.jsonl': 'b', 'pairs.jsonl': 'c' };
    const hashed = (sha256: string) => ({ path: 'x', sha256 });
    const text = paragraphs(
      manifest({
        sample: stage({ completions: 3, prompts: 1 }, { outputs }),
        grade: stage({}, { outputs, edited: ['grades.jsonl'] }),
        pair: stage({ pairs: 1 }, { outputs, inputs: { completions: hashed('z'), grades: hashed('b') } }),
      }),
      undefined,
    );
    expect(text.slice(0, 3)).toEqual([
      'The completions used from here on are not those that the study made last.',
      'The grades were accepted as they stood in grades.jsonl: how they were made is not recorded.',
      [
        'From the grades we formed 1 pair of a positive and a negative completion of the same prompt,',
        'neither incoherent.',
      ].join(' '),
    ]);
  });

  it('says of the run of one command what its record holds', () => {
    const options = { site: 'resid_post 5', tokens: 'all', loss: 'sum', top: 100 };
    const inputs = { sae: input('sae'), baselineCorpus: input('texts.jsonl') };
    const text = paragraphs(
      manifest({ attribute: stage({ pairs: 1, latents: 9 }, { options, inputs }) }),
      undefined,
    );
    expect(text[0]).toContain('at resid_post 5 we estimated');
    expect(text[0]).toContain('the summed cross-entropy');
    expect(text[0]).toContain('The baseline is the mean activation over a corpus (texts.jsonl).');
    expect(text[0]).toMatch(/and averaged over 1 pair\.$/);
  });

  it('a version cannot break out of the BibTeX entry', () => {
    expect(bibtexOf('1.0}, evil = {\\x')).toContain('version = {1.0, evil = x},');
    expect(bibtexOf(undefined)).not.toContain('version');
  });
});

describe('two studies', () => {
  const a = [latentRow(1, 1), latentRow(2, 2), latentRow(3, 3), latentRow(4, 4)];
  const b = [latentRow(3, 1), latentRow(1, 2), latentRow(4, 3), latentRow(2, 4)];

  it('lists those in either top, the shared first', () => {
    const { latents, shared, expected } = compared(a, b, 2);
    expect(latents.map(({ latent }) => latent)).toEqual([1, 3, 2]);
    expect(latents[2]).toMatchObject({ a: { rank: 2 }, b: { rank: 4 } });
    expect([shared, expected]).toEqual([1, 1]);
    expect(compared(a, [], 2)).toMatchObject({ shared: 0, expected: 0 });
    expect(compared(a, b, 100)).toMatchObject({ shared: 4, expected: 4 });
  });

  it('says who is first in each, what is confirmed in both, and how much is shared', () => {
    const of = (name: string, latents: typeof a, confirmedOnes: readonly number[]) => ({
      name,
      latents,
      effects: new Map(
        effectsOf(confirmedOnes.flatMap((latent) => removed(latent, -0.3, confirmed))).map((one) => [
          one.latent,
          one,
        ]),
      ),
    });
    const text = (one: ReturnType<typeof of>, other: ReturnType<typeof of>) =>
      comparisonText(one, other, 2, compared(one.latents, other.latents, 2));
    expect(text(of('x', a, [1, 4]), of('y', a, [1, 4]))).toBe(
      'Latent 1 comes first in both and is confirmed in both. Confirmed in both, too: latent 4. 2 of the first 2 by Δ are the same, where chance would have 1.',
    );
    expect(text(of('x', a, [1]), of('y', b, []))).toBe(
      'First are latent 1 in x (confirmed in x only) and latent 3 in y (confirmed in neither). 1 of the first 2 by Δ are the same, where chance would have 1.',
    );
    expect(text(of('x', a, []), of('y', [], []))).toBe(
      '0 of the first 2 by Δ are the same, where chance would have 0.00.',
    );
  });

  it('a number is the same latent only in the same dictionary', () => {
    const of = (sha256: string) =>
      manifest({ attribute: stage({}, { inputs: { sae: { path: 'x', sha256 } } }) });
    expect(sameDictionary(of('1'), of('1'))).toBe(true);
    expect(sameDictionary(of('1'), of('2'))).toBe(false);
    expect(sameDictionary(of('1'), undefined)).toBeUndefined();
  });
});

it('numbers have a true minus, and a sign where it matters', () => {
  expect([signed(0.123, 2), signed(-0.123, 2), signed(-0.001, 2)]).toEqual(['+0.12', '−0.12', '0.00']);
  expect([fixed(-1.5, 1), count(12345), plural(1, 'pair'), plural(2, 'pair')]).toEqual([
    '−1.5',
    '12,345',
    '1 pair',
    '2 pairs',
  ]);
  expect([scientific(1.5714e-4), scientific(-0.02), scientific(0), scientific(1234)]).toEqual([
    '+1.57×10⁻⁴',
    '−2.00×10⁻²',
    '0',
    '+1.23×10³',
  ]);
  expect([percent(0.5), points(-0.341), points(0)].map((text) => text.replace('\u202f', ' '))).toEqual([
    '50 %',
    '−34 points',
    '0 points',
  ]);
  expect([1.25, 42, 125, 6000, 7500].map(duration)).toEqual([
    '1.3 s',
    '42 s',
    '2 min',
    '1 h 40 min',
    '2 h 5 min',
  ]);
});
