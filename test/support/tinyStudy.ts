/** A study over the small subject of tinyFolder, with a pattern judge: whole runs in a second or two. */
import { join } from 'node:path';
import { stringify } from 'yaml';
import { put, type TinyFolder } from './tinyFolder.ts';

type Section = Readonly<Record<string, unknown>>;

/** Sections of study.yaml as they are written. */
interface StudyInput {
  readonly behaviour: Section;
  readonly subject: Section;
  readonly reference?: Section;
  readonly sae: Section;
  readonly baseline?: Section;
  readonly prompts?: Section | undefined;
  readonly sampling?: Section;
  readonly judge: Section;
  readonly second_judge?: Section;
  readonly pairs?: Section;
  readonly attribution?: Section;
  readonly fidelity?: Section;
  readonly steering?: Section | undefined;
  readonly fix?: Section;
  readonly interpret?: Section;
  readonly check?: Section;
}

/** Prompts of different lengths. */
export const prompts = Array.from({ length: 14 }, (_, i) => ({
  id: `p${i}`,
  prompt: `${'What of this? '.repeat(1 + (i % 4))}${i}`,
}));

/** The model says random bytes; these end many completions before the limit. */
export const sampling = { completions: 6, max_tokens: 12, seed: 5, stop: [...'bcdfghjklmnpqrstvwxz'] };

/** Prompts and steering of a causal test that takes seconds. */
export const causalTestPrompts = { file: 'prompts.jsonl', discovery: 8, evaluation: 3, calibration: 2 };
export const smallSteering = {
  candidates: 3,
  random: 4,
  gaussian: 1,
  remeasured: 2,
  doses: [0.1, 0.4],
  gate_pairs: 2,
  completions: 2,
  max_tokens: 8,
};

export type StudyOver = Partial<StudyInput>;

/**
 * study.yaml's content; `over` replaces whole sections. It is not checked: a random model reads no text, and a
 * random dictionary fits none.
 */
export function tinyStudy(tiny: TinyFolder, over: StudyOver = {}): StudyInput {
  return {
    behaviour: { name: 'letter', rubric: 'Is there a vowel?' },
    subject: { model: tiny.model, adapter: tiny.adapter },
    sae: { path: tiny.sae },
    prompts: { file: 'prompts.jsonl', discovery: 8, evaluation: 3, calibration: 0 },
    sampling,
    judge: { kind: 'pattern', positive: '[A-Za-z]', incoherent: '^.{0,1}$' },
    fidelity: { latents: 2, pairs: 2, integrated: 1, steps: 2 },
    check: { mode: 'skip' },
    ...over,
  };
}

/** Writes a study; returns its folder. */
export function putStudy(folder: string, tiny: TinyFolder, over: StudyOver = {}): string {
  put(join(folder, 'prompts.jsonl'), prompts);
  put(join(folder, 'study.yaml'), stringify(tinyStudy(tiny, over)));
  return folder;
}
