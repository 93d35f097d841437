/** The sentences of the causal test, with what makes each true. */
import { expect } from 'vitest';
import { bothSides } from '../../../src/results.ts';
import {
  aloneIn,
  baseOf,
  candidatesIn,
  close,
  controlsIn,
  countIf,
  distinct,
  eachOf,
  gatedIn,
  measureWords,
  n,
  number,
  one,
  promptsOf,
  type Rule,
  rowsOf,
  same,
  sampledIn,
  sentence,
  steeredWords,
  trialsOf,
  zoneOf,
} from './methodsRecords.ts';

export const steeringRules: readonly Rule[] = [
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
      `A latent is steered by itself: α·s·d is added to the residual stream at (resid_post \\d+), at`,
      `(.*), with s the mean residual norm there \\(${n} for the subject, ${n} for the reference\\);`,
      `away is the subject model with α < 0, toward the reference model \\((.*)\\) with α > 0`,
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
      for (const { latent, side, dose } of trialsOf(records))
        if (latent !== null) expect(Math.sign(dose)).toBe(side === 'away' ? -1 : 1);
    },
  },
  {
    name: 'not gated',
    says: sentence('No candidate was left out before sampling'),
    check(_, records) {
      for (const side of bothSides)
        for (const latent of candidatesIn(records))
          expect(sampledIn(records, side, 'calibration')).toContain(latent);
    },
  },
  {
    name: 'gated',
    says: sentence(
      `${n} of ${one('candidate')} went no further than the log-odds: their change of the log-odds of`,
      `the positive against the negative completions, at \\|α\\| = ${n} on (the pairs of )?at most`,
      `${n} (pair|prompt)s?, lay within the central ${n} % of the random latents’ in one direction or`,
      `both`,
    ),
    check([stopped, candidates, dose, of, pairs, what, share], records) {
      const { steering } = records.config;
      same(candidates, candidatesIn(records).length);
      same(stopped, gatedIn(records));
      for (const side of bothSides) {
        const sampled = sampledIn(records, side, 'calibration');
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
      `For every other latent a dose was sought by bisection of the ladder \\|α\\| = (.*): the`,
      `strongest at which the share of incoherent completions \\((.*)\\) on`,
      `${one('calibration prompt')}, ${one('completion')} of each, exceeds that of completions left`,
      `alone by at most ${n} %`,
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
      `Even the weakest dose exceeded it for some latents, which have no effect then: ${n} away and`,
      `${n} toward`,
    ),
    check([away, toward], records) {
      for (const [side, count] of [
        ['away', away],
        ['toward', toward],
      ] as const) {
        const first = sampledIn(records, side, 'first');
        const without = [...sampledIn(records, side, 'calibration')].filter((one) => !first.has(one));
        same(count, without.length);
        for (const row of rowsOf(records))
          if (row.side === side && without.includes(row.latent)) expect(row.effect).toBeNull();
      }
    },
  },
  {
    name: 'evaluated',
    says: sentence(
      `At its dose a latent was tested on ${one('evaluation prompt')}, ${one('completion')} of each;`,
      `none of these is a calibration prompt or a prompt of the pairs`,
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
      `A candidate was decided after the first ${n} of them where the 95 % interval of its effect`,
      `\\(Newcombe’s, over prompts\\) crossed no edge of the gray zone: ${n} away and ${n} toward`,
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
      for (const [side, count] of [
        ['away', away],
        ['toward', toward],
      ] as const) {
        const rest = sampledIn(records, side, 'rest');
        const early = [...sampledIn(records, side, 'first')].filter((one) => !rest.has(one));
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
      `Left alone, ${n} of ${one('coherent completion')} \\(${n} %\\) of the subject and ${n} of`,
      `${one('coherent completion')} \\(${n} %\\) of the reference on the evaluation prompts show`,
      `(.*)`,
    ),
    check([positives, coherent, share, positives2, coherent2, share2, behaviour], records) {
      for (const [side, found] of [
        ['away', [positives, coherent, share]],
        ['toward', [positives2, coherent2, share2]],
      ] as const) {
        const alone = aloneIn(records, side);
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
      'The effect of a latent is the change of that share against the same prompts, with the same',
      'seeds, left alone; its 95 % interval is bootstrapped over prompts',
    ),
    check(_, records) {
      for (const row of rowsOf(records)) {
        if (row.effect === null) continue;
        const change = row.positives / row.coherent - row.alone_positives / row.alone_coherent;
        expect(row.effect).toBeCloseTo(change, 5);
        const own = trialsOf(records).filter(
          (trial) =>
            trial.latent === row.latent &&
            trial.side === row.side &&
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
      `${one('random latent')}, none of them a candidate and together about as often active as the`,
      `candidates, went through the same search for a dose, and those with a dose through all`,
      `evaluation prompts`,
    ),
    check([random], records) {
      const controls = controlsIn(records);
      same(random, controls.length);
      expect(controls.length).toBe(records.config.steering.random);
      expect(controls.filter((latent) => candidatesIn(records).includes(latent))).toEqual([]);
      for (const side of bothSides) {
        const first = sampledIn(records, side, 'first');
        for (const latent of controls) {
          expect(sampledIn(records, side, 'calibration')).toContain(latent);
          expect(sampledIn(records, side, 'rest').has(latent)).toBe(first.has(latent));
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
      bothSides.forEach((side, i) => {
        const [low, high, effects] = groups.slice(3 * i, 3 * i + 3);
        const zone = zoneOf(records, side);
        close(low!.replace('+', ''), zone.low, 1);
        close(high!.replace('+', ''), zone.high, 1);
        same(effects, zone.effects);
      });
    },
  },
];
