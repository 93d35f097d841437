/** The sentences of the causal test, with what makes each true. */
import { expect } from 'vitest';
import { bothSides, placeOfRow } from '../../../src/results.ts';
import { heldTokenSets } from '../../../src/study/config/sections/steering.ts';
import {
  aloneIn,
  baseOf,
  candidatesIn,
  close,
  controlsIn,
  countIf,
  directionsIn,
  distinct,
  eachOf,
  gatedIn,
  measureWords,
  n,
  number,
  one,
  promptIdsOf,
  type Rule,
  rowsOf,
  same,
  sampledIn,
  sentence,
  steeredWords,
  trialsOf,
  zoneOf,
} from './methodsRecords.ts';

/** What is sampled of every direction of a kind. */
const arms = [
  ['remove', 'away'],
  ['add', 'away'],
  ['add', 'toward'],
] as const;

const change = '([+−]?[\\d.]+)';

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
    name: 'removed',
    says: sentence(
      `A direction d is removed from the subject by setting the projection of the residual stream at`,
      `(resid_post \\d+) on it to that of the baseline, at (.*) but the attention sinks`,
    ),
    check([site, tokens], records) {
      const { config, steering } = records;
      expect(site).toBe(steering!.summary.site);
      expect(tokens).toBe(steeredWords[heldTokenSets(config.steering)[0]!]);
      for (const { operation, side, dose } of trialsOf(records))
        if (operation === 'remove') expect([side, dose]).toEqual(['away', 0]);
    },
  },
  {
    name: 'together',
    says: sentence('The span of several latents was removed too: (.*)'),
    check([groups], records) {
      expect(groups!.split('; ')).toEqual(directionsIn(records, 'group'));
      expect([...sampledIn(records, 'remove', 'away', 'evaluation')]).toEqual(
        expect.arrayContaining(groups!.split('; ')),
      );
    },
  },
  {
    name: 'patched',
    says: sentence(
      'A direction is patched by setting the projection in the reference to the mean of the subject’s',
    ),
    check(_, records) {
      expect(records.config.steering.patch).toBe(true);
      expect(sampledIn(records, 'patch', 'toward', 'evaluation').size).toBeGreaterThan(0);
    },
  },
  {
    name: 'steered',
    says: sentence(
      `A direction is steered by itself: α·s·σ·d is added to the residual stream at (resid_post \\d+), at`,
      `(.*), with s the mean residual norm there \\(${n} for the subject, ${n} for the reference\\) and σ = ±1`,
      `such that adding σ·d makes the positives likelier to first order; away is the subject model with α < 0,`,
      `toward the reference model \\((.*)\\) with α > 0`,
    ),
    check([site, tokens, away, toward, reference], records) {
      const { config, steering, latents } = records;
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
      for (const { operation, side, dose } of trialsOf(records))
        if (operation === 'add') expect(Math.sign(dose)).toBe(side === 'away' ? -1 : 1);
      const signs = new Map(latents.map(({ latent, sign }) => [latent, sign]));
      for (const { latent, sign } of rowsOf(records))
        if (latent !== null) expect(sign).toBe(signs.get(latent));
    },
  },
  {
    name: 'sign',
    says: sentence(`σ is −1 for ${one('candidate')}: less of these goes with the behaviour`),
    check([absent], records) {
      const signs = new Map(rowsOf(records).map(({ direction, sign }) => [direction, sign]));
      same(
        absent,
        countIf(candidatesIn(records), (name) => signs.get(name) === -1),
      );
    },
  },
  {
    name: 'not gated',
    says: sentence('No candidate was left out before sampling'),
    check(_, records) {
      for (const name of candidatesIn(records)) {
        expect(sampledIn(records, 'remove', 'away', 'evaluation')).toContain(name);
        for (const side of bothSides) expect(sampledIn(records, 'add', side, 'calibration')).toContain(name);
      }
    },
  },
  {
    name: 'gated',
    says: sentence(
      `Of ${one('candidate')}, ${n} went without removal and ${n} without steering: their change of the log-odds of the`,
      `positive against the negative completions, removed or at \\|α\\| = ${n}, on (the pairs of )?at most`,
      `${n} (pair|prompt)s?, lay within the central ${n} % of the random latents’, for steering on one side or`,
      `both`,
    ),
    check([candidates, kept, unsteered, dose, of, pairs, what, share], records) {
      const { steering } = records.config;
      const all = candidatesIn(records);
      same(candidates, all.length);
      same(kept, gatedIn(records, 'remove').length);
      same(unsteered, gatedIn(records, 'add').length);
      const removed = sampledIn(records, 'remove', 'away', 'evaluation');
      expect(all.filter((name) => !removed.has(name)).sort()).toEqual(gatedIn(records, 'remove').sort());
      for (const side of bothSides) {
        const sampled = sampledIn(records, 'add', side, 'calibration');
        expect(all.filter((name) => !sampled.has(name)).sort()).toEqual(gatedIn(records, 'add').sort());
      }
      same(dose, steering.gate_dose);
      same(pairs, steering.gate_pairs);
      close(share, steering.gate_share, 6);
      const whole = records.config.pairs.per_prompt === 'all';
      expect([of !== undefined, what]).toEqual([whole, whole ? 'prompt' : 'pair']);
    },
  },
  {
    name: 'counted',
    says: sentence('Whoever is not sampled counts in the tests as one more candidate that shows nothing'),
    check(_, records) {
      for (const row of rowsOf(records))
        if (row.role === 'candidate' && row.stage === 'log-odds')
          expect([row.verdict, row.family_wise_p, row.n]).toEqual(['not sampled', 1, 0]);
    },
  },
  {
    name: 'dosed',
    says: sentence(
      `For every latent and random direction that was steered a dose was sought by bisection of the ladder`,
      `\\|α\\| = (.*): the strongest at which the share of incoherent completions \\((.*)\\) on`,
      `${one('calibration prompt')}, ${one('completion')} of each, exceeds that of unsteered completions`,
      `by at most ${n} %`,
    ),
    check([doses, measure, prompts, each, bound], records) {
      const { steering } = records.config;
      expect(doses).toBe(steering.doses.join(', '));
      expect(measure).toBe(measureWords[steering.incoherence]);
      same(prompts, promptIdsOf(records, 'calibration').size);
      same(each, eachOf(records, 'calibration'));
      close(bound, steering.incoherent, 6);
      for (const { dose } of rowsOf(records))
        if (dose !== null)
          expect(steering.doses.some((step) => Math.abs(step - Math.abs(dose)) < 1e-6)).toBe(true);
      for (const side of bothSides) {
        const searched = sampledIn(records, 'add', side, 'calibration');
        for (const name of [...controlsIn(records), ...directionsIn(records, 'gaussian')])
          expect(searched).toContain(name);
      }
    },
  },
  {
    name: 'without a dose',
    says: sentence(
      `Even the weakest dose exceeded it for some, which have no effect then: ${n} away and ${n} toward`,
    ),
    check([away, toward], records) {
      for (const [side, count] of [
        ['away', away],
        ['toward', toward],
      ] as const) {
        const evaluated = sampledIn(records, 'add', side, 'evaluation');
        const without = [...sampledIn(records, 'add', side, 'calibration')].filter(
          (one) => !evaluated.has(one),
        );
        same(count, without.length);
        for (const row of rowsOf(records))
          if (row.operation === 'add' && row.side === side && without.includes(row.direction))
            expect(row.effect).toBeNull();
      }
    },
  },
  {
    name: 'evaluated',
    says: sentence(
      `What was removed or steered was tested on ${one('evaluation prompt')}, ${one('completion')} of each, all`,
      `of them, whatever came out on the first; none of these is a calibration prompt or a prompt of the pairs`,
    ),
    check([prompts, each], records) {
      const evaluation = promptIdsOf(records, 'evaluation');
      same(prompts, evaluation.size);
      same(each, eachOf(records, 'evaluation'));
      const others = [
        ...promptIdsOf(records, 'calibration'),
        ...records.pairs.map(({ prompt_id }) => prompt_id),
      ];
      expect(others.filter((id) => evaluation.has(id))).toEqual([]);
      for (const row of rowsOf(records))
        if (row.effect !== null) expect(row.n).toBe(number(prompts) * number(each));
    },
  },
  {
    name: 'aside',
    says: sentence(
      `${n} further prompts? had been kept aside: on them the candidates that moved the share most, and the`,
      `groups, ${n} in all, were measured again`,
    ),
    check([prompts, again], records) {
      const aside = promptIdsOf(records, 'aside');
      same(prompts, aside.size);
      expect([...promptIdsOf(records, 'evaluation')].filter((id) => aside.has(id))).toEqual([]);
      const measured = trialsOf(records).filter(
        ({ part, direction }) => part === 'aside' && direction !== null,
      );
      same(
        again,
        distinct(measured, ({ direction }) => direction),
      );
      const { remeasured } = records.config.steering;
      for (const [operation, side] of arms) {
        const found = [...sampledIn(records, operation, side, 'aside')];
        const candidates = found.filter((name) => candidatesIn(records).includes(name));
        expect(candidates.length).toBeLessThanOrEqual(remeasured);
        // removed, none of those that were left out moved it more
        const moved = (name: string) =>
          -rowsOf(records).find((row) => row.direction === name && row.operation === 'remove')!.effect!;
        if (operation === 'remove')
          for (const name of sampledIn(records, 'remove', 'away', 'evaluation'))
            if (candidatesIn(records).includes(name) && !candidates.includes(name))
              expect(moved(name)).toBeLessThanOrEqual(Math.min(...candidates.map(moved)));
      }
      for (const group of directionsIn(records, 'group'))
        expect(sampledIn(records, 'remove', 'away', 'aside')).toContain(group);
    },
  },
  {
    name: 'unsteered',
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
      'An effect is the change of that share against the same prompts, with the same seeds, unsteered; its',
      '95 % interval is bootstrapped over prompts',
    ),
    check(_, records) {
      for (const row of rowsOf(records)) {
        if (row.effect === null) continue;
        const change = row.positives / row.coherent - row.alone_positives / row.alone_coherent;
        expect(row.effect).toBeCloseTo(change, 5);
        const own = trialsOf(records).filter(
          (trial) =>
            trial.direction === row.direction &&
            trial.operation === row.operation &&
            trial.side === row.side &&
            trial.part === 'evaluation' &&
            Math.abs(trial.dose - (row.dose ?? 0)) < 1e-6,
        );
        same(`${row.n}`, own.flatMap(({ completions }) => completions).length);
      }
    },
  },
  {
    name: 'way',
    says: sentence(
      'The way of a removal is its effect in parts of what lies between the subject and the reference, both',
      'unsteered',
    ),
    check(_, records) {
      const share = (side: 'away' | 'toward') =>
        aloneIn(records, side).positives / aloneIn(records, side).coherent;
      const between = share('toward') - share('away');
      for (const { operation, effect, way } of rowsOf(records))
        if (operation === 'remove' && effect !== null && way !== null)
          expect(way * between).toBeCloseTo(effect, 5);
    },
  },
  {
    name: 'random',
    says: sentence(
      `${one('random latent')}, none of them a candidate and together about as often active as the`,
      `candidates, were removed, and steered after the same search for a dose, on all evaluation prompts`,
    ),
    check([random], records) {
      const controls = controlsIn(records);
      same(random, controls.length);
      expect(controls.length).toBe(records.config.steering.random);
      expect(controls.filter((name) => candidatesIn(records).includes(name))).toEqual([]);
      for (const name of controls) {
        expect(sampledIn(records, 'remove', 'away', 'evaluation')).toContain(name);
        for (const side of bothSides) expect(sampledIn(records, 'add', side, 'calibration')).toContain(name);
      }
    },
  },
  {
    name: 'gray zone',
    says: sentence(
      `The gray zone is the 95 % prediction interval of the effect of one more random latent: ${[
        'removed',
        'away',
        'toward',
      ]
        .map((place) => `${change} to ${change} percentage points ${place}, from ${one('effect')}`)
        .join('; ')}`,
    ),
    check(groups, records) {
      (['remove', 'away', 'toward'] as const).forEach((place, i) => {
        const [low, high, effects] = groups.slice(3 * i, 3 * i + 3);
        const zone = zoneOf(records, place);
        close(low!.replace('+', ''), zone.low, 1);
        close(high!.replace('+', ''), zone.high, 1);
        same(effects, zone.effects);
      });
    },
  },
  {
    name: 'gaussian',
    says: sentence(`${one('random direction')} of the residual stream went through the same`),
    check([count], records) {
      const names = directionsIn(records, 'gaussian');
      same(count, names.length);
      expect(names.length).toBe(records.config.steering.gaussian);
      for (const name of names) expect(sampledIn(records, 'remove', 'away', 'evaluation')).toContain(name);
    },
  },
  {
    name: 'compared',
    says: sentence(
      `So did, at the dose of the first candidate that has one, ${one('direction')} to compare with: (.*)`,
    ),
    check([count, list], records) {
      const names = [...directionsIn(records, 'comparison'), ...directionsIn(records, 'control')];
      same(count, names.length);
      expect(list!.split(', ')).toEqual(names);
      for (const side of bothSides) {
        const first = rowsOf(records).find(
          (row) =>
            row.role === 'candidate' && row.operation === 'add' && row.side === side && row.dose !== null,
        );
        for (const row of rowsOf(records))
          if (names.includes(row.direction) && row.operation === 'add' && row.side === side)
            expect(row.dose).toBe(first!.dose);
      }
    },
  },
  {
    name: 'tests',
    says: sentence(
      'Removal and steering are a test each, one-sided, against two null hypotheses, of which the greater p',
      'counts: that a candidate moves the share as a random latent does, by draws with the random latents’',
      'spread, and that it changes nothing, by exchanging steered and unsteered completions within prompts;',
      'steering must move both sides',
    ),
    check(_, records) {
      const rows = rowsOf(records).filter(({ role }) => role === 'candidate');
      for (const row of rows) {
        const sides = rows.filter(
          (one) => one.direction === row.direction && one.operation === row.operation,
        );
        expect(sides).toHaveLength(row.operation === 'add' ? 2 : 1);
        // both sides are one test
        expect(distinct(sides, ({ family_wise_p, verdict }) => `${family_wise_p} ${verdict}`)).toBe(1);
        if (row.t !== null) expect(row.family_wise_p!).toBeGreaterThanOrEqual(row.p! - 1e-6);
      }
    },
  },
  {
    name: 'decided',
    says: sentence(
      'A candidate is confirmed at a family-wise p below .05, over all candidates and both tests, and',
      'suggestive at a q below .2 \\(Benjamini and Hochberg\\)',
    ),
    check(_, records) {
      for (const { role, verdict, family_wise_p } of rowsOf(records))
        if (role === 'candidate') expect(verdict === 'confirmed').toBe(family_wise_p! < 0.05);
    },
  },
  {
    name: 'found',
    says: sentence(
      `Of ${one('candidate')}, removal confirms ${n} and leaves ${n} suggestive; steering confirms ${n} and`,
      `leaves ${n} suggestive`,
    ),
    check([candidates, removed, likely, added, likelyAdded], records) {
      same(candidates, candidatesIn(records).length);
      const tally = (place: string, verdict: string) =>
        countIf(
          rowsOf(records),
          (row) => row.role === 'candidate' && placeOfRow(row) === place && row.verdict === verdict,
        );
      same(removed, tally('remove', 'confirmed'));
      same(likely, tally('remove', 'suggestive'));
      same(added, tally('away', 'confirmed'));
      same(likelyAdded, tally('away', 'suggestive'));
    },
  },
];
