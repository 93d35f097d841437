/**
 * Every sentence that the methods text may say, with what makes it true of a study's own records. A
 * sentence that is not among them is a failure.
 */
import { expect } from 'vitest';
import {
  baseOf,
  close,
  countIf,
  distinct,
  isImported,
  n,
  one,
  type Rule,
  type StudyRecords,
  same,
  sentence,
  tokenWords,
} from './methodsRecords.ts';
import { steeringRules } from './steeringRules.ts';

const rules: readonly Rule[] = [
  ...steeringRules,
  {
    name: 'sampled',
    says: sentence(`We sampled ${one('completion')} of ${one('prompt')} from the subject model \\((.*)\\)`),
    check([completions, prompts, how], { config, completions: all }) {
      same(completions, all.length);
      same(
        prompts,
        distinct(all, ({ prompt_id }) => prompt_id),
      );
      const { temperature, top_k, top_p, min_p, max_tokens, stop, seed } = config.sampling;
      expect(how!.split(', ')).toEqual(
        [
          baseOf(config.subject.model),
          config.subject.adapter && `adapter ${baseOf(config.subject.adapter)}`,
          `temperature ${temperature}`,
          top_k !== undefined && `top-k ${top_k}`,
          top_p !== 1 && `top-p ${top_p}`,
          min_p !== undefined && `min-p ${min_p}`,
          `at most ${max_tokens} tokens`,
          stop && `${stop.length} stop string${stop.length === 1 ? '' : 's'}`,
          `seed ${seed}`,
        ].filter(Boolean),
      );
      expect(Math.max(...all.map(({ ids }) => ids!.length))).toBeLessThanOrEqual(max_tokens);
      expect(all.every(({ model }) => model === 'subject')).toBe(true);
    },
  },
  {
    name: 'ended',
    says: sentence(`${n} of them \\(${n} %\\) ended before the token limit`),
    check([ended, share], { completions }) {
      const found = countIf(completions, ({ stop }) => stop !== 'length');
      same(ended, found);
      close(share, found / completions.length, 0);
    },
  },
  {
    name: 'imported',
    says: sentence('The (completions|grades) were not made by culprit: they were imported'),
    check([what], records) {
      if (what === 'completions') expect(isImported(records)).toBe(true);
      else expect(records.grades.every(({ judge }) => judge === 'imported')).toBe(true);
    },
  },
  {
    name: 'graded',
    says: sentence(
      `(A regular expression|A language model behind an API \\(.*\\)) graded ${one('completion')}:`,
      `${n} positive, ${n} negative, ${n} incoherent`,
    ),
    check([judge, count, positive, negative, incoherent], { config, grades }) {
      expect(judge).toBe(
        config.judge.kind === 'chat'
          ? `A language model behind an API (${(config.judge as { readonly model?: string }).model})`
          : 'A regular expression',
      );
      expect(['chat', 'pattern']).toContain(config.judge.kind);
      expect(grades.some((grade) => grade.judge === 'imported')).toBe(false);
      same(count, grades.length);
      same(
        positive,
        countIf(grades, ({ label, coherent }) => coherent && label === 'positive'),
      );
      same(
        negative,
        countIf(grades, ({ label, coherent }) => coherent && label === 'negative'),
      );
      same(
        incoherent,
        countIf(grades, ({ coherent }) => !coherent),
      );
    },
  },
  {
    name: 'paired',
    says: sentence(
      `From the grades we formed ${one('pair')} of a positive and a negative completion of the same`,
      `prompt, neither incoherent( nor cut at the token limit)?(, at most \\d+ for each prompt|, each`,
      `such positive with each such negative)?`,
    ),
    check([count, ended, per], records) {
      const { pairs, completions, grades, config } = records;
      same(count, pairs.length);
      const byId = new Map(completions.map((completion) => [completion.id, completion]));
      const gradeOf = new Map(grades.map((grade) => [grade.id, grade]));
      for (const { positive_id, negative_id, prompt_id } of pairs)
        for (const [id, label] of [
          [positive_id, 'positive'],
          [negative_id, 'negative'],
        ] as const) {
          expect(gradeOf.get(id)).toMatchObject({ coherent: true, label });
          expect(byId.get(id)!.prompt_id).toBe(prompt_id);
          if (ended) expect(byId.get(id)!.stop).not.toBe('length');
        }
      expect(ended !== undefined).toBe(!isImported(records));
      const most = config.pairs.per_prompt;
      if (most === 'all') {
        expect(per).toBe(', each such positive with each such negative');
        for (const prompt of new Set(pairs.map(({ prompt_id }) => prompt_id))) {
          const own = pairs.filter(({ prompt_id }) => prompt_id === prompt);
          expect(own.length).toBe(
            distinct(own, ({ positive_id }) => positive_id) * distinct(own, ({ negative_id }) => negative_id),
          );
        }
      } else {
        expect(per).toBe(`, at most ${most} for each prompt`);
        for (const prompt of new Set(pairs.map(({ prompt_id }) => prompt_id)))
          expect(countIf(pairs, ({ prompt_id }) => prompt_id === prompt)).toBeLessThanOrEqual(most);
      }
    },
  },
  {
    name: 'beyond',
    says: sentence(`${n} further (pair|prompt)s? exceeded the limit of ${n} and (?:was|were) left out`),
    check([beyond, what, limit], { config, pairs, completions, grades }) {
      same(limit, config.pairs.limit);
      const all = config.pairs.per_prompt === 'all';
      expect(what).toBe(all ? 'prompt' : 'pair');
      // counted anew: what each prompt had to give
      const gradeOf = new Map(grades.map((grade) => [grade.id, grade]));
      const usable = completions.filter(
        ({ id, stop, text }) => stop !== 'length' && gradeOf.get(id)!.coherent && text.trim() !== '',
      );
      const given = [...new Set(usable.map(({ prompt_id }) => prompt_id))].map((prompt) => {
        const of = (label: string) =>
          countIf(usable, ({ id, prompt_id }) => prompt_id === prompt && gradeOf.get(id)!.label === label);
        const least = Math.min(of('positive'), of('negative'));
        return all ? Math.min(1, least) : Math.min(least, config.pairs.per_prompt as number);
      });
      const kept = all ? distinct(pairs, ({ prompt_id }) => prompt_id) : pairs.length;
      same(beyond, given.reduce((sum, some) => sum + some, 0) - kept);
    },
  },
  {
    name: 'estimated',
    says: sentence(
      `For each of the ${one('latent')} of a sparse autoencoder \\((.*)\\)(?: at (resid_post \\d+))?`,
      `we estimated to first order how the loss changes where the projection of the activation a on`,
      `the latent’s direction d is set to that of the baseline ā: −\\(g·d\\)\\(\\(a − ā\\)·d\\), with`,
      `g the gradient of the (mean|summed) cross-entropy of the completion’s tokens`,
    ),
    check([latents, sae, site, loss], { config, latents: rows, steering }) {
      same(latents, rows.length);
      expect(sae).toBe(baseOf(config.sae.path));
      expect(loss).toBe(config.attribution.loss === 'mean' ? 'mean' : 'summed');
      const layer = config.sae.site;
      expect(site).toBe(steering?.summary.site ?? (layer === undefined ? undefined : `resid_post ${layer}`));
    },
  },
  {
    name: 'baseline',
    says: sentence(
      `The baseline (?:is the mean activation over (the study’s own prompts|a corpus \\((.*), at most`,
      `${n} tokens\\))|was read from a file \\((.*)\\))`,
    ),
    check([over, corpus, most, file], { config: { baseline }, manifest }) {
      const { inputs } = manifest.stages.attribute!;
      if (baseline === undefined) {
        expect(over).toBe('the study’s own prompts');
        expect([inputs.baseline, inputs.baselineCorpus]).toEqual([undefined, undefined]);
      } else if ('file' in baseline) expect(file).toBe(baseOf(baseline.file));
      else {
        expect(corpus).toBe(baseOf(baseline.corpus));
        same(most, baseline.max_tokens);
      }
    },
  },
  {
    name: 'averaged',
    says: sentence(
      `The estimate is averaged over the tokens of (.*), attention sinks left out, taken as positive`,
      `minus negative completion, and averaged over (?:the pairs of ${one('prompt')}|${one('pair')})`,
    ),
    check([tokens, prompts, pairCount], { config, pairs }) {
      expect(tokens).toBe(tokenWords[config.attribution.tokens]);
      if (config.pairs.per_prompt === 'all')
        same(
          prompts,
          distinct(pairs, ({ prompt_id }) => prompt_id),
        );
      else same(pairCount, pairs.length);
    },
  },
  {
    name: 'versions',
    says: sentence('The stages were run with culprit (\\S+) \\((.*)\\)'),
    check([version, stages], { manifest }) {
      expect(stages!.split(', ')).toEqual(Object.keys(manifest.stages));
      for (const stage of Object.values(manifest.stages)) expect(stage.versions.culprit).toBe(version);
    },
  },
];
/** Checks each sentence, and returns the names of what they say. Fails for one that no rule knows. */
export function checkMethods(paragraphs: readonly (readonly string[])[], records: StudyRecords): string[] {
  return paragraphs.flat().map((text) => {
    const plain = text.replaceAll('\u202f', ' ');
    const known = rules.flatMap((rule) => {
      const [, ...groups] = rule.says.exec(plain) ?? [];
      return rule.says.test(plain) ? [{ rule, groups }] : [];
    });
    expect(known, `known sentences like: ${plain}`).toHaveLength(1);
    const { rule, groups } = known[0]!;
    rule.check(groups, records);
    return rule.name;
  });
}
