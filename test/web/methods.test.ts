/** A study's methods in words, citations, comparison of two, and numbers as text. */
import { describe, expect, it } from 'vitest';
import { count, duration, fixed, percent, plural, points, scientific, signed } from '../../src/web/format.ts';
import { compared, sameDictionary } from '../../src/web/views/compare/compared.ts';
import { bibtexOf } from '../../src/web/views/record/citations.ts';
import { methodsText } from '../../src/web/views/record/methodsText.ts';
import { repeatCommand } from '../../src/web/views/record/repeat.ts';
import { latentRow, manifest, stage, steered, summary } from './support/studyParts.ts';

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
    steer: stage({}, { options: { doses: [0.1, 0.2], incoherent: 0.1 } }),
  });

  it('names the command that repeats a study, and a case of the demonstration', () => {
    expect(repeatCommand(whole, true)).toMatch(/^npx culprit@0\.1\.0 run STUDY /);
    const options = { seed: 2, prompts: 9, steering_random: 8, steering_evaluation: 6 };
    expect(repeatCommand(manifest({ demo: stage({}, { options }) }), false)).toBe(
      'npx culprit@0.1.0 demo --out FOLDER --seed 2 --prompts 9 --random 8 --questions 6   # both cases',
    );
    expect(repeatCommand(manifest({ attribute: stage({}) }), false)).toBeUndefined();
    expect(repeatCommand(undefined, true)).toMatch(/^npx culprit run STUDY /);
    expect(repeatCommand(undefined, false)).toBeUndefined();
  });

  it('tells each stage with its numbers', () => {
    const text = methodsText(whole, { rows: steered(1, -0.3, 0.3), summary: summary() })
      .join('\n')
      .replaceAll('\u202f', ' ');
    for (const said of [
      'We sampled 1,200 completions of 100 prompts from the subject model (smol, adapter bad-lora, temperature 0.7, top-p 0.9, at most 60 tokens, seed 3). 97 % of them ended by themselves.',
      'A judge (classifier) graded 1,200: 700 positive, 490 negative, 10 incoherent. On 100 prompts held out the judge was right for 91.5 % of the answers.',
      '88 pairs of a positive and a negative completion of the same prompt, both coherent and ended.',
      'the 4,096 latents of a sparse autoencoder (my-sae) at resid_post 3',
      'averaged over the tokens of the prompt',
      'α the strongest of 0.1, 0.2 at which',
      'by at most 10 %',
      '30 random latents, matched in frequency',
      'culprit 0.1.0',
    ])
      expect(text).toContain(said);
    expect(text).not.toMatch(/undefined|NaN|null/);
  });

  it('tells nothing of what was not run', () => {
    expect(methodsText(undefined, undefined)).toEqual([]);
    expect(methodsText(manifest({ sample: stage({ completions: 1, prompts: 1 }) }), undefined)).toEqual([
      'We sampled 1 completions of 1 prompt from the subject model.',
    ]);
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
    '+1.57e−4',
    '−2.00e−2',
    '0',
    '+1.23e+3',
  ]);
  expect([percent(0.5), points(-0.341), points(0)].map((text) => text.replace('\u202f', ' '))).toEqual([
    '50 %',
    '−34 pp',
    '0 pp',
  ]);
  expect([1.25, 42, 125, 6000, 7500].map(duration)).toEqual([
    '1.3 s',
    '42 s',
    '2 min',
    '1 h 40 min',
    '2 h 5 min',
  ]);
});
