/** Every sentence that the methods text may say, with what makes it true of a study's own records. A sentence that is not among them is a failure. */
import { expect } from 'vitest';
import { centralRange } from '../../../src/methods/steering/grayZone.ts';
import type {
  CompletionRecord,
  Direction,
  GradeRecord,
  LatentRow,
  PairRecord,
  SteeredRecord,
  StudyManifest,
  TrialRecord,
} from '../../../src/results.ts';
import { directions } from '../../../src/results.ts';
import type { StudyConfig } from '../../../src/study/config/schema.ts';
import { coherenceBy } from '../../../src/study/steering/coherence.ts';
import type { Steering } from '../../../src/web/study.ts';

/** What a study's files hold, read by the study's own readers. */
export interface StudyRecords {
  readonly config: StudyConfig;
  readonly manifest: StudyManifest;
  readonly completions: readonly CompletionRecord[];
  readonly grades: readonly GradeRecord[];
  readonly pairs: readonly PairRecord[];
  readonly latents: readonly LatentRow[];
  readonly steering: Steering | undefined;
  readonly steered: readonly SteeredRecord[];
}

type Groups = readonly string[];

interface Rule {
  readonly name: string;
  readonly says: RegExp;
  /** the numbers and words of the sentence, against the records */
  readonly check: (groups: Groups, records: StudyRecords) => void;
}

const n = '(−?[\\d,]*\\.?\\d+)';
const one = (word: string) => `${n} ${word}s?`;
const sentence = (text: string) => new RegExp(`^${text}\\.$`);
const number = (text: string | undefined) => Number(text!.replaceAll(',', '').replace('−', '-'));

const same = (found: string | undefined, expected: number) => expect(number(found)).toBe(expected);
/** A share shown with so many decimals of a percent. */
const close = (found: string | undefined, share: number, decimals: number) =>
  expect(Math.abs(number(found) - 100 * share)).toBeLessThanOrEqual(0.5 * 10 ** -decimals + 1e-9);

const baseOf = (path: string) => path.split('/').at(-1)!;
const countIf = <T>(all: readonly T[], holds: (one: T) => boolean) => all.filter(holds).length;
const distinct = <T, K>(all: readonly T[], key: (one: T) => K) => new Set(all.map(key)).size;
const isImported = ({ completions }: StudyRecords) => completions.every(({ model }) => model === 'imported');

const trialsOf = ({ steered }: StudyRecords): TrialRecord[] =>
  steered.filter((record) => record.kind === 'trial');

const rowsOf = ({ steering }: StudyRecords) => steering!.rows;
const candidatesIn = (records: StudyRecords) => [
  ...new Set(
    rowsOf(records)
      .filter(({ role }) => role === 'candidate')
      .map(({ latent }) => latent),
  ),
];
const controlsIn = (records: StudyRecords) => [
  ...new Set(
    rowsOf(records)
      .filter(({ role }) => role === 'random')
      .map(({ latent }) => latent),
  ),
];

/** Latents that were sampled in a part of a direction. */
const sampledIn = (records: StudyRecords, direction: Direction, part: TrialRecord['part']) =>
  new Set(
    trialsOf(records)
      .filter((trial) => trial.direction === direction && trial.part === part && trial.latent !== null)
      .map(({ latent }) => latent!),
  );

const promptsOf = (records: StudyRecords, calibration: boolean) =>
  distinct(
    trialsOf(records)
      .filter(({ part }) => (part === 'calibration') === calibration)
      .flatMap(({ completions }) => completions),
    ({ prompt_id }) => prompt_id,
  );

/** Completions of each prompt of each trial, where all have as many. */
function eachOf(records: StudyRecords, calibration: boolean): number {
  const counts = trialsOf(records)
    .filter(({ part }) => (part === 'calibration') === calibration)
    .map(({ completions }) => completions.length / distinct(completions, ({ prompt_id }) => prompt_id));
  expect(new Set(counts).size).toBe(1);
  return counts[0]!;
}

/** Candidates that lie within the central share of the random latents' log-odds in a direction. */
function gatedIn(records: StudyRecords): number {
  const logOdds = (direction: Direction) =>
    new Map(
      records.steered.flatMap((record) =>
        record.kind === 'forced' && record.direction === direction
          ? [[record.latent, record.log_odds] as const]
          : [],
      ),
    );
  const isWithin = (latent: number, direction: Direction) => {
    const of = logOdds(direction);
    const { low, high } = centralRange(
      controlsIn(records).map((control) => of.get(control)!),
      records.config.steering.gate_share,
    );
    return of.get(latent)! >= low && of.get(latent)! <= high;
  };
  return countIf(candidatesIn(records), (latent) => directions.some((side) => isWithin(latent, side)));
}

const measureWords = {
  judge: 'by the judge',
  cheap: 'by likelihood, repetition and length, without the judge',
  both: 'by the judge, or by likelihood, repetition and length',
};

/** Completions left alone, on the evaluation prompts, by the study's measure. */
function aloneIn(records: StudyRecords, direction: Direction) {
  const own = trialsOf(records).filter((trial) => trial.latent === null && trial.direction === direction);
  const of = (calibration: boolean) =>
    own.filter(({ part }) => (part === 'calibration') === calibration).flatMap((trial) => trial.completions);
  return coherenceBy(records.config.steering.incoherence, of(true)).evaluation(of(false));
}

const zoneOf = (records: StudyRecords, direction: Direction) => {
  const effects = rowsOf(records).flatMap((row) =>
    row.role === 'random' && row.direction === direction && row.effect !== null ? [row.effect] : [],
  );
  return { ...centralRange(effects, 0.95), effects: effects.length };
};

const tokenWords = { prompt: 'the prompt', completion: 'the completion', all: 'prompt and completion' };
const steeredWords = {
  all: 'every token',
  prompt: 'every token of the prompt',
  completion: 'every token of the completion',
};

const rules: readonly Rule[] = [
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
      `(A regular expression|A language model behind an API \\(.*\\)) graded ${one('completion')}: ${n} positive, ${n} negative, ${n} incoherent`,
    ),
    check([judge, count, positive, negative, incoherent], { config, grades }) {
      expect(judge).toBe(
        config.judge.kind === 'chat'
          ? `A language model behind an API (${config.judge.model})`
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
      `From the grades we formed ${one('pair')} of a positive and a negative completion of the same prompt, neither incoherent( nor cut at the token limit)?(, at most \\d+ for each prompt|, each such positive with each such negative)?`,
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
      `For each of the ${one('latent')} of a sparse autoencoder \\((.*)\\)(?: at (resid_post \\d+))? we estimated to first order how the loss changes where the projection of the activation a on the latent’s direction d is set to that of the baseline ā: −\\(g·d\\)\\(\\(a − ā\\)·d\\), with g the gradient of the (mean|summed) cross-entropy of the completion’s tokens`,
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
      `The baseline (?:is the mean activation over (the study’s own prompts|a corpus \\((.*), at most ${n} tokens\\))|was read from a file \\((.*)\\))`,
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
      `The estimate is averaged over the tokens of (.*), attention sinks left out, taken as positive minus negative completion, and averaged over (?:the pairs of ${one('prompt')}|${one('pair')})`,
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
    name: 'proposed',
    says: sentence(`The latents to test were proposed by (.*): ${one('candidate')} in all`),
    check([named, count], records) {
      same(count, candidatesIn(records).length);
      const proposals = records.config.steering.selectors.map((selector) => {
        const own = rowsOf(records).filter(({ ranks }) => ranks[selector] !== undefined);
        return `${selector} (${distinct(own, ({ latent }) => latent)})`;
      });
      expect(named).toBe(proposals.join(', '));
    },
  },
  {
    name: 'steered',
    says: sentence(
      `A latent is steered by itself: α·s·d is added to the residual stream at (resid_post \\d+), at (.*), with s the mean residual norm there \\(${n} for the subject, ${n} for the reference\\); away is the subject model with α < 0, toward the reference model \\((.*)\\) with α > 0`,
    ),
    check([site, tokens, away, toward, reference], records) {
      const { config, steering } = records;
      const { summary } = steering!;
      expect(site).toBe(summary.site);
      expect(tokens).toBe(steeredWords[config.steering.tokens]);
      expect([number(away), number(toward)]).toEqual(
        [summary.norm.away, summary.norm.toward].map((norm) => Number(norm.toFixed(1))),
      );
      const { model, adapter } = config.reference;
      expect(reference).toBe(
        [baseOf(model), adapter && `adapter ${baseOf(adapter)}`].filter(Boolean).join(', '),
      );
      for (const { latent, direction, dose } of trialsOf(records))
        if (latent !== null) expect(Math.sign(dose)).toBe(direction === 'away' ? -1 : 1);
    },
  },
  {
    name: 'not gated',
    says: sentence('No candidate was left out before sampling'),
    check(_, records) {
      for (const direction of directions)
        for (const latent of candidatesIn(records))
          expect(sampledIn(records, direction, 'calibration')).toContain(latent);
    },
  },
  {
    name: 'gated',
    says: sentence(
      `${n} of ${one('candidate')} went no further than the log-odds: their change of the log-odds of the positive against the negative completions, at \\|α\\| = ${n} on (the pairs of )?at most ${n} (pair|prompt)s?, lay within the central ${n} % of the random latents’ in one direction or both`,
    ),
    check([stopped, candidates, dose, of, pairs, what, share], records) {
      const { steering } = records.config;
      same(candidates, candidatesIn(records).length);
      same(stopped, gatedIn(records));
      for (const direction of directions) {
        const sampled = sampledIn(records, direction, 'calibration');
        same(
          stopped,
          countIf(candidatesIn(records), (latent) => !sampled.has(latent)),
        );
      }
      same(dose, steering.gate_dose);
      same(pairs, steering.gate_pairs);
      close(share, steering.gate_share, 6);
      const all = records.config.pairs.per_prompt === 'all';
      expect([of !== undefined, what]).toEqual([all, all ? 'prompt' : 'pair']);
    },
  },
  {
    name: 'dosed',
    says: sentence(
      `For every other latent a dose was sought by bisection of the ladder \\|α\\| = (.*): the strongest at which the share of incoherent completions \\((.*)\\) on ${one('calibration prompt')}, ${one('completion')} of each, exceeds that of completions left alone by at most ${n} %`,
    ),
    check([doses, measure, prompts, each, bound], records) {
      const { steering } = records.config;
      expect(doses).toBe(steering.doses.join(', '));
      expect(measure).toBe(measureWords[steering.incoherence]);
      same(prompts, promptsOf(records, true));
      same(each, eachOf(records, true));
      close(bound, steering.incoherent, 6);
      for (const { dose } of rowsOf(records))
        if (dose !== null)
          expect(steering.doses.some((step) => Math.abs(step - Math.abs(dose)) < 1e-6)).toBe(true);
    },
  },
  {
    name: 'without a dose',
    says: sentence(
      `Even the weakest dose exceeded it for some latents, which have no effect then: ${n} away and ${n} toward`,
    ),
    check([away, toward], records) {
      for (const [direction, count] of [
        ['away', away],
        ['toward', toward],
      ] as const) {
        const first = sampledIn(records, direction, 'first');
        const without = [...sampledIn(records, direction, 'calibration')].filter((one) => !first.has(one));
        same(count, without.length);
        for (const row of rowsOf(records))
          if (row.direction === direction && without.includes(row.latent)) expect(row.effect).toBeNull();
      }
    },
  },
  {
    name: 'evaluated',
    says: sentence(
      `At its dose a latent was tested on ${one('evaluation prompt')}, ${one('completion')} of each; none of these is a calibration prompt or a prompt of the pairs`,
    ),
    check([prompts, each], records) {
      same(prompts, promptsOf(records, false));
      same(each, eachOf(records, false));
      const idsOf = (calibration: boolean) =>
        trialsOf(records)
          .filter(({ part }) => (part === 'calibration') === calibration)
          .flatMap(({ completions }) => completions.map(({ prompt_id }) => prompt_id));
      const others = new Set([...idsOf(true), ...records.pairs.map(({ prompt_id }) => prompt_id)]);
      expect(idsOf(false).filter((id) => others.has(id))).toEqual([]);
    },
  },
  {
    name: 'first look',
    says: sentence(
      `A candidate was decided after the first ${n} of them where the 95 % interval of its effect \\(Newcombe’s, over prompts\\) crossed no edge of the gray zone: ${n} away and ${n} toward`,
    ),
    check([first, away, toward], records) {
      const firsts = trialsOf(records).filter(({ part }) => part === 'first');
      same(
        first,
        distinct(
          firsts.flatMap(({ completions }) => completions),
          ({ prompt_id }) => prompt_id,
        ),
      );
      for (const [direction, count] of [
        ['away', away],
        ['toward', toward],
      ] as const) {
        const rest = sampledIn(records, direction, 'rest');
        const early = [...sampledIn(records, direction, 'first')].filter((one) => !rest.has(one));
        same(
          count,
          countIf(early, (latent) => candidatesIn(records).includes(latent)),
        );
        expect(early.filter((latent) => controlsIn(records).includes(latent))).toEqual([]);
      }
    },
  },
  {
    name: 'left alone',
    says: sentence(
      `Left alone, ${n} of ${one('coherent completion')} \\(${n} %\\) of the subject and ${n} of ${one('coherent completion')} \\(${n} %\\) of the reference on the evaluation prompts show (.*)`,
    ),
    check([positives, coherent, share, positives2, coherent2, share2, behaviour], records) {
      for (const [direction, found] of [
        ['away', [positives, coherent, share]],
        ['toward', [positives2, coherent2, share2]],
      ] as const) {
        const alone = aloneIn(records, direction);
        same(found[0], alone.positives);
        same(found[1], alone.coherent);
        close(found[2], alone.positives / alone.coherent, 0);
      }
      expect(behaviour).toBe(records.config.behaviour.name);
    },
  },
  {
    name: 'effect',
    says: sentence(
      'The effect of a latent is the change of that share against the same prompts, with the same seeds, left alone; its 95 % interval is bootstrapped over prompts',
    ),
    check(_, records) {
      for (const row of rowsOf(records)) {
        if (row.effect === null) continue;
        const change = row.positives / row.coherent - row.alone_positives / row.alone_coherent;
        expect(row.effect).toBeCloseTo(change, 5);
        const own = trialsOf(records).filter(
          (trial) =>
            trial.latent === row.latent &&
            trial.direction === row.direction &&
            trial.part !== 'calibration' &&
            Math.abs(trial.dose - row.dose!) < 1e-6,
        );
        same(`${row.n}`, own.flatMap(({ completions }) => completions).length);
      }
    },
  },
  {
    name: 'random',
    says: sentence(
      `${one('random latent')}, none of them a candidate and together about as often active as the candidates, went through the same search for a dose, and those with a dose through all evaluation prompts`,
    ),
    check([random], records) {
      const controls = controlsIn(records);
      same(random, controls.length);
      expect(controls.length).toBe(records.config.steering.random);
      expect(controls.filter((latent) => candidatesIn(records).includes(latent))).toEqual([]);
      for (const direction of directions) {
        const first = sampledIn(records, direction, 'first');
        for (const latent of controls) {
          expect(sampledIn(records, direction, 'calibration')).toContain(latent);
          expect(sampledIn(records, direction, 'rest').has(latent)).toBe(first.has(latent));
        }
      }
    },
  },
  {
    name: 'gray zone',
    says: sentence(
      `The central 95 % of their effects is the gray zone: ${['away', 'toward']
        .map((side) => `([+−]?[\\d.]+) to ([+−]?[\\d.]+) percentage points ${side}, from ${one('effect')}`)
        .join('; ')}`,
    ),
    check(groups, records) {
      directions.forEach((direction, i) => {
        const [low, high, effects] = groups.slice(3 * i, 3 * i + 3);
        const zone = zoneOf(records, direction);
        close(low!.replace('+', ''), zone.low, 1);
        close(high!.replace('+', ''), zone.high, 1);
        same(effects, zone.effects);
      });
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
