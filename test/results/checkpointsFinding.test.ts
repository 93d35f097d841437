/** From which subject on a latent's removal acts, and what speaks against a comparison. */
import { describe, expect, it } from 'vitest';
import {
  appearsIn,
  type CheckpointSubject,
  type CheckpointsRecord,
  checkpointsFinding,
} from '../../src/results.ts';

const estimate = (value: number, half = 0.1) => ({ value, low: value - half, high: value + half });
const arm = (value: number) => ({ completions: 48, coherent: 40, positives: 20, effect: estimate(value) });

function subject(name: string, removed: number, over: Partial<CheckpointSubject> = {}): CheckpointSubject {
  return {
    name,
    role: 'checkpoint',
    model: 'm',
    adapter: name,
    unsteered: { completions: 48, coherent: 40, positives: 20, mean_tokens: 20 },
    latents: [
      {
        latent: 320,
        activation: estimate(1),
        remove: arm(removed),
        away: arm(removed),
        toward: arm(-removed),
        diffing: estimate(-2 * removed),
        matched: { ...estimate(-2 * removed), overlap: 1 },
      },
    ],
    random: { effects: [-0.1, 0, 0.1], low: -0.15, high: 0.15 },
    ...over,
  };
}

const record = (...subjects: CheckpointSubject[]): CheckpointsRecord => ({
  behaviour: 'harm',
  site: 'resid_post 1',
  norm: 5,
  seed: 1,
  prompts: 24,
  completions: 2,
  confirmed: [320],
  latents: [{ latent: 320, sign: 1, confirmed: true, away: 0.2, toward: 0.2 }],
  random: Array.from({ length: 30 }, (_, i) => i),
  subjects,
  stale: {},
  inputs: {},
  versions: {},
  created: '2026-12-01T00:00:00Z',
});

describe('a latent appears', () => {
  it('in the first subject from which on its removal acts in all', () => {
    const [none, some, more] = [subject('a', -0.05), subject('b', -0.3), subject('c', -0.5)];
    expect(appearsIn(record(none, some, more), 0)!.name).toBe('b');
    expect(appearsIn(record(some, none, more), 0)!.name).toBe('c');
    expect(appearsIn(record(some, more), 0)!.name).toBe('b');
    expect(appearsIn(record(none, some, none), 0)).toBeUndefined();
  });

  it('only where its effect lies beyond random latents, and its interval beside zero', () => {
    const far = { random: { effects: [], low: -0.6, high: 0.6 } };
    expect(appearsIn(record(subject('a', -0.5, far)), 0)).toBeUndefined();
    const unsure = subject('a', -0.5);
    const wide = { ...unsure.latents[0]!, remove: { ...arm(-0.5), effect: estimate(-0.5, 0.55) } };
    expect(appearsIn(record({ ...unsure, latents: [wide] }), 0)).toBeUndefined();
    const unknown = { random: { effects: [], low: null, high: null } };
    expect(appearsIn(record(subject('a', -0.5, unknown)), 0)).toBeUndefined();
  });
});

describe('the finding', () => {
  it('says from where to where, from when on, and what steering makes', () => {
    const first = subject('before', -0.05, {
      unsteered: { completions: 48, coherent: 40, positives: 4, mean_tokens: 20 },
    });
    expect(checkpointsFinding(record(first, subject('step-1', -0.3), subject('step-2', -0.5))).lead).toBe(
      'Over 3 subjects, on 24 prompts, the share of coherent answers that show harm goes from 10 % in before to 50 % in step-2. Removing latent 320 takes some of it away from step-1 on (−30 [−40, −20] points; in step-2 −50 [−60, −40]), and not reliably before. Steering toward minus away makes +10 [0, +20] points in before and +100 [+90, +110] in step-2.',
    );
    expect(checkpointsFinding(record(first)).lead).toContain('In no stretch up to the last');
  });

  it('says what speaks against it', () => {
    const broken = subject('a', -0.5, {
      unsteered: { completions: 40, coherent: 20, positives: 10, mean_tokens: 9 },
    });
    const latent = broken.latents[0]!;
    const byLength = { ...latent, matched: { ...estimate(0.2), overlap: 0.5 } };
    const { against } = checkpointsFinding({
      ...record({ ...broken, latents: [byLength] }),
      confirmed: [],
      latents: [{ latent: 320, sign: 1, confirmed: false, away: 0.2, toward: 0.2 }],
      random: [1, 2, 3],
    });
    for (const said of [
      /confirmed no latent/,
      /rests on 3 random latents/,
      /a: 50 % of its unsteered answers are incoherent/,
      /a: among answers of the same length, toward minus away is \+20/,
      /found in the study’s own subject/,
    ])
      expect(against.filter((text) => said.test(text))).toHaveLength(1);
  });
});
