/** What the latent and pair views make of a study's records. */

import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import {
  type PairRecord,
  type PairTokens,
  promptText,
  type SteeredCompletion,
  type TrialRecord,
} from '../../src/results.ts';
import { dosePoints } from '../../src/web/parts/doses.ts';
import { samplesOf, turnedFirst } from '../../src/web/parts/samples.tsx';
import { kindOf } from '../../src/web/parts/verdict.tsx';
import { beside } from '../../src/web/views/latent/beside.tsx';
import { Explanation } from '../../src/web/views/latent/explanation.tsx';
import { remarksOn } from '../../src/web/views/latent/headline.tsx';
import { chosenContrasts, comparedTexts, latentsOf } from '../../src/web/views/pairs/chosen.ts';
import { latentRow } from './support/studyParts.ts';

const verdict = { score: 0, coherence: 1, reason: '', log_probability: null, repetition: null } as const;

/** `+` positive, `-` negative, `x` incoherent, `?` not judged. */
function completion(kind: string, index: number): SteeredCompletion {
  return {
    prompt_id: 'p',
    index,
    text: `${kind} ${index}`,
    tokens: 10 + index,
    stop: 'end',
    ...verdict,
    label: kind === '+' ? 'positive' : 'negative',
    coherent: kind !== 'x',
    judged: kind !== '?',
  };
}

function trial(kinds: string, over: Partial<TrialRecord>): TrialRecord {
  return {
    kind: 'trial',
    id: '',
    side: 'away',
    direction: 'latent 7',
    latent: 7,
    operation: 'add',
    dose: -0.2,
    part: 'evaluation',
    content: '',
    completions: [...kinds].map(completion),
    cost: { calls: 0, price: 0 },
    ...over,
  };
}

const alone = { direction: null, latent: null, operation: null, dose: 0 } as const;

describe('dose curves', () => {
  const points = dosePoints(
    [
      trial('++--x', {}),
      trial('???', { part: 'calibration', dose: -0.5 }),
      trial('------', { operation: 'remove', dose: 0 }),
      trial('----', { part: 'aside' }),
    ],
    [
      trial('++++-', alone),
      trial('??', { ...alone, part: 'calibration' }),
      trial('+++', { ...alone, part: 'aside' }),
      trial('++++++', { ...alone, side: 'toward' }),
    ],
  );

  it('are of what was added: no removal, nothing kept aside, calibration apart', () => {
    expect(points.map(({ set, dose, completions }) => [set, dose, completions])).toEqual([
      ['calibration', -0.5, 3],
      ['evaluation', -0.2, 5],
      ['evaluation', 0, 5],
      ['calibration', 0, 2],
    ]);
  });

  it('take the coherent of the judged alone, and the positives of the coherent', () => {
    const [calibration, steered, left] = points;
    expect(steered).toMatchObject({ judged: 5, coherent: 4, positives: 2 });
    expect(left).toMatchObject({ judged: 5, coherent: 5, positives: 4 });
    expect(calibration).toMatchObject({ judged: 0, coherent: 0, positives: 0 });
    expect(calibration!.tokens).toBe(11);
  });
});

describe('steered samples', () => {
  it('stand beside the same prompt and index left alone, of the dose that has most', () => {
    const trials = [
      trial('++', {}),
      trial('-', { dose: -0.4 }),
      trial('xxx', { part: 'calibration' }),
      trial('-+x', { operation: 'remove', dose: 0 }),
    ];
    const found = samplesOf(trials, [trial('-', alone)], 'away');
    expect(found?.dose).toBe(-0.2);
    expect(found?.samples.map(({ steered, alone }) => [steered.text, alone?.text])).toEqual([
      ['+ 0', '- 0'],
      ['+ 1', undefined],
    ]);
    const removed = samplesOf(trials, [trial('-', alone)], 'remove');
    expect(removed?.samples.map(({ steered }) => steered.text)).toEqual(['- 0', '+ 1', 'x 2']);
    expect(samplesOf(trials, [], 'patch')).toBeUndefined();
    expect(samplesOf([], [], 'toward')).toBeUndefined();
  });

  it('come by prompt, first where most turned as they were to, of a prompt those first', () => {
    const sample = (prompt: string, index: number, from: string, to: string) => ({
      id: `${prompt}/${index}`,
      prompt,
      steered: completion(to, index),
      alone: from === '' ? undefined : completion(from, index),
    });
    const samples = [
      sample('a', 0, '+', '+'),
      sample('b', 0, '+', '+'),
      sample('b', 1, '+', '-'),
      sample('c', 0, '-', '+'),
      sample('c', 1, '', '-'),
      sample('b', 2, '+', '-'),
    ];
    const ids = (place: 'remove' | 'toward') => turnedFirst(samples, place).map(({ id }) => id);
    expect(ids('remove')).toEqual(['b/1', 'b/2', 'b/0', 'a/0', 'c/0', 'c/1']);
    expect(ids('toward')).toEqual(['c/0', 'c/1', 'a/0', 'b/0', 'b/1', 'b/2']);
  });

  it('are of one kind each', () => {
    expect([...'+-x?'].map((kind) => kindOf(completion(kind, 0)))).toEqual([
      'positive',
      'negative',
      'incoherent',
      'not judged',
    ]);
  });
});

it('a latent’s headline says what speaks against its Δ', () => {
  const first = latentRow(320, 1, 4);
  const other = { ...latentRow(7, 2, 2), sign: -1 as const, silent_share: 0.9, deflated: 0.5, q: null };
  expect(remarksOn(first, [first, other]).join(' ')).toBe(
    'q = 0.010 over prompts: the share of false findings among latents as sure as this. With one prompt left out its rank is 1 to 9.',
  );
  const remarks = remarksOn(other, [first, other]).join(' ');
  for (const said of ['acts through its absence', 'never active on the pairs', 'echo of latent 320'])
    expect(remarks).toContain(said);
  expect(remarks).toMatch(/90.% of Δ comes from tokens/);
});

describe('latents by rank', () => {
  const rows = [5, 3, 9, 1].map((latent, i) => latentRow(latent, i + 1));

  it('lead to those of which more is known', () => {
    expect(beside(rows, new Set([5, 1]), 3)).toEqual({ previous: 5, next: 1 });
    expect(beside(rows, new Set([5, 1]), 5)).toEqual({ previous: undefined, next: 1 });
    expect(beside(rows, new Set(), 9)).toEqual({ previous: 3, next: 1 });
    expect(beside(rows, new Set(), 4)).toEqual({ previous: undefined, next: undefined });
  });
});

describe('pairs', () => {
  const pair = (id: string, certainty: number, positive: string): PairRecord => ({
    id,
    prompt_id: id,
    prompt: [{ role: 'user', content: `about ${id}` }],
    positive,
    negative: 'no',
    positive_ended: true,
    negative_ended: true,
    contrast: null,
    positive_tokens: null,
    negative_tokens: null,
    positive_id: `${id}/0`,
    negative_id: `${id}/1`,
    certainty,
  });
  const weighed = (id: string, latents: Record<number, number>): [string, PairTokens] => [
    id,
    {
      pair: id,
      prompt: { tokens: [], total: [] },
      completions: [],
      latents: Object.entries(latents).map(([latent, delta]) => ({
        latent: Number(latent),
        delta,
        prompt: [],
        completions: [],
      })),
    },
  ];
  const pairs = [pair('a', 0.5, 'Boats'), pair('b', 1, 'trains'), pair('c', 1, 'boat')];
  const tokens = new Map([weighed('a', { 7: -3, 8: 1 }), weighed('b', { 7: 2 }), weighed('c', { 9: 1 })]);
  const ids = (find: string, order: 'certainty' | '|Δ|', latent?: number) =>
    chosenContrasts(comparedTexts(pairs, tokens), { find, order, latent }).map((one) => one.id);

  it('are sought in all their texts and sorted', () => {
    expect(ids('', 'certainty')).toEqual(['b', 'c', 'a']);
    expect(ids(' BOAT', 'certainty')).toEqual(['c', 'a']);
    expect(ids('about b', 'certainty')).toEqual(['b']);
    expect(ids('', '|Δ|', 7)).toEqual(['a', 'b', 'c']);
    const [untold] = chosenContrasts(comparedTexts(pairs, undefined), { find: '', order: '|Δ|', latent: 7 });
    expect(untold!.delta).toBeUndefined();
  });

  it('are one where all pairs of a prompt are: each completion once, Δ the prompt’s', () => {
    const ofPrompt = (positive: number, negative: number) => ({
      ...pair(`p/${positive}-${negative}`, positive + negative / 10, `yes ${positive}`),
      prompt_id: 'p',
      positive_id: `p/${positive}`,
      negative_id: `p/${negative}`,
    });
    const joined = [ofPrompt(0, 2), ofPrompt(0, 3), ofPrompt(1, 2), pair('a', 0.5, 'Boats')];
    const both = new Map([weighed('p', { 7: -3 }), weighed('a', { 7: 2 })]);
    const found = chosenContrasts(comparedTexts(joined, both), { find: '', order: '|Δ|', latent: 7 });
    expect(found.map(({ id, pairs: own, delta }) => [id, own.length, delta])).toEqual([
      ['p', 3, -3],
      ['a', 1, 2],
    ]);
    expect(found[0]!.positives.map(({ id }) => id)).toEqual(['p/0', 'p/1']);
    expect(found[0]!.negatives.map(({ id }) => id)).toEqual(['p/2', 'p/3']);
    expect(found[0]!.certainty).toBe(1.2);
    const told = comparedTexts(
      joined.map((one) => ({ ...one, contrast: one.prompt_id })),
      undefined,
    );
    expect(told.map(({ id }) => id)).toEqual(['p', 'a']);
  });

  it('name the latents that weigh on most of them first', () => {
    expect(latentsOf(tokens)).toEqual([7, 8, 9]);
    expect(latentsOf(undefined)).toEqual([]);
  });

  it('have prompts as text', () => {
    expect(promptText('as is')).toBe('as is');
    expect(promptText([{ role: 'user', content: 'hi' }])).toBe('hi');
    expect(
      promptText([
        { role: 'system', content: 'be' },
        { role: 'user', content: 'hi' },
      ]),
    ).toBe('system: be\nuser: hi');
  });
});

describe('explanation', () => {
  const shown = (page: Parameters<typeof Explanation>[0]['page']) =>
    renderToStaticMarkup(createElement(Explanation, { page })).replace(/<[^>]*>/g, ' ');

  it('is left out where there is none', () => {
    expect(shown({ latent: 1 })).toBe('');
    expect(shown({ latent: 1, explanation: null, labels: [] })).toBe('');
  });

  it('stands with its scores, and with what others say', () => {
    const text = shown({
      latent: 1,
      explanation: {
        text: 'reckless people',
        by: 'a model',
        detection: { balanced_accuracy: 0.875 },
        fuzzing: { balanced_accuracy: null },
      },
      labels: [{ text: 'boats', source: 'elsewhere', by: null, score: 0.5 }],
    });
    expect(text).toContain('reckless people');
    expect(text).toMatch(/detection 0\.8[78]/);
    expect(text).toContain('fuzzing not measured');
    expect(text).toMatch(/boats\s+elsewhere · score 0\.50/);
  });
});
