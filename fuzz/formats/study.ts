/** study.yaml, as text and as structure (JSON is YAML too). */
import { join } from 'node:path';
import { readStudy } from '../../src/study/run/ownStudy.ts';
import { each, type Format, jsonPart, promised, textPart } from '../format.ts';

const content = {
  behaviour: { name: 'letter', rubric: 'Is there a vowel?' },
  subject: { model: 'm', adapter: 'a' },
  reference: { model: 'm' },
  sae: { path: 's', site: 1 },
  baseline: { corpus: 'c.jsonl', tokens: 100 },
  prompts: { file: 'prompts.jsonl', discovery: 8, evaluation: 3, calibration: 2, seed: 4 },
  sampling: { completions: 6, max_tokens: 12, temperature: 0.8, seed: 5, stop: ['b', 'c'] },
  judge: { kind: 'pattern', positive: '[A-Za-z]', incoherent: '^.{0,1}$' },
  pairs: { per_prompt: 1 },
  fidelity: { latents: 2, pairs: 2, integrated: 1, steps: 2 },
  steering: { candidates: 3, random: 4, doses: [0.1, 0.4], completions: 2, max_tokens: 8 },
  interpret: { latents: 3 },
  check: { mode: 'skip' },
};
const chatJudge = {
  kind: 'chat',
  base_url: 'http://localhost/v1',
  model: 'x',
  price: { input: 1, output: 2 },
};

const yaml = `# a study
behaviour: &b
  name: letter
  rubric: >-
    Is there
    a vowel?
subject: {model: m, adapter: "a"}
sae: {path: s}
prompts:
  file: prompts.jsonl
  discovery: 8
  evaluation: 3
  calibration: 0x2
judge:
  kind: pattern
  positive: '[A-Za-z]'
extra: [*b, ~, !!str 1, 1e3, .nan, .inf, 2026-11-30]
`;

export const study: Format = {
  name: 'study',
  seeds: () => [
    { 'study.yaml': jsonPart(content) },
    { 'study.yaml': jsonPart({ ...content, judge: chatJudge }) },
    { 'study.yaml': jsonPart({ ...content, control: undefined, judge: { kind: 'local', model: 'j' } }) },
    { 'study.yaml': textPart(yaml) },
    { 'study.yaml': textPart(yaml.replace(/extra.*\n/, '')) },
  ],
  read: (folder) =>
    each(async () => {
      const { config, file } = await readStudy(folder);
      promised(file === join(folder, 'study.yaml'), `the file ${file}`);
      for (const n of [config.sampling.completions, config.sampling.max_tokens])
        promised(Number.isSafeInteger(n) && n > 0, `a count of ${n}`);
    }),
};
