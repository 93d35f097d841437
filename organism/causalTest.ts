/** The validation by steering on both cases of an organism, with several sampling seeds: which selectors' latents leave the gray zone, and where cause and decoy are. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { progressOn } from '../src/cli/progress.ts';
import { signedPoints } from '../src/cli/table.ts';
import { figureOf } from '../src/figure/figureOf.ts';
import { selectorNames } from '../src/methods/attribution/selectors/selectors.ts';
import type { RankedSteeringRow, SteeringSummary } from '../src/results.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import { caseNames, openBundle, openCase } from '../src/study/demo/bundle.ts';
import { caseProofDefaults, proveCase } from '../src/study/demo/caseProof.ts';
import { caseDefaults, runCase } from '../src/study/demo/caseRun.ts';
import { places } from '../src/study/demo/truth.ts';
import { steeringPng } from '../src/study/steering/figurePng.ts';
import { steeringSvg } from '../src/study/steering/figureSvg.ts';

function effects(rows: readonly RankedSteeringRow[], latent: number): string {
  const found = rows.filter((row) => row.latent === latent);
  return found
    .map(
      ({ direction, stage, dose, effect, low, high, outside }) =>
        `${direction} ${signedPoints(effect)} [${signedPoints(low)}, ${signedPoints(high)}] at ${dose ?? '-'} (${stage}${outside ? ', outside' : ''})`,
    )
    .join('; ');
}

function tell(summary: SteeringSummary): string[] {
  const { zone, alone, selectors, first, stages, log_odds_agreement } = summary;
  const band = (side: 'away' | 'toward') =>
    `${side} ${signedPoints(zone[side].low)}..${signedPoints(zone[side].high)}`;
  const share = ({ positives, coherent }: typeof alone.away) =>
    `${Math.round((100 * positives) / coherent)} %`;
  return [
    `  left alone: subject ${share(alone.away)}, reference ${share(alone.toward)}; gray zone ${band('away')}, ${band('toward')}; ` +
      `log-odds against effect: away ${log_odds_agreement.away?.toFixed(2)}, toward ${log_odds_agreement.toward?.toFixed(2)}`,
    `  stages: away ${JSON.stringify(stages.away)}, toward ${JSON.stringify(stages.toward)}`,
    `  first: ${first === null ? 'none' : `${first.latent} ${signedPoints(first.away)} ${signedPoints(first.toward)}`}`,
    ...selectors.map(
      ({ selector, candidates, outside, mean_effect }) =>
        `  ${selector}: of ${candidates} outside away ${outside.away}, toward ${outside.toward}, both ${outside.both}; mean effect ${signedPoints(mean_effect.away)} ${signedPoints(mean_effect.toward)}`,
    ),
  ];
}

/** Runs the causal test for seeds 1 to `seeds`; figures go to `out`, where it is named. */
export async function testOrganism(
  folder: string,
  { seeds, candidates, full, out }: { seeds: number; candidates: number; full: boolean; out?: string },
): Promise<void> {
  const runtime = nodeRuntime();
  const work = await mkdtemp(join(tmpdir(), 'culprit-test-'));
  const progress = progressOn(process.stderr);
  try {
    const bundle = await openBundle(folder);
    for (let seed = 1; seed <= seeds; seed++)
      for (const name of caseNames) {
        const opened = await openCase(bundle, name);
        const result = await runCase(runtime, bundle, opened, { ...caseDefaults, seed });
        const start = Date.now();
        const { rows, summary } = await proveCase(
          runtime,
          bundle,
          opened,
          result,
          { ...caseProofDefaults, selectors: selectorNames, random: 50, candidates, full, seed },
          { path: join(work, `${name}-${seed}.jsonl`), progress },
        );
        const { cause, decoy } = places(bundle.truth, name, result);
        process.stdout.write(
          [
            `${name}, sampling seed ${seed}, ${Math.round((Date.now() - start) / 1000)} s`,
            ...tell(summary),
            ...cause.map(
              ({ latent, cosine }) => `  cause ${latent} (${cosine.toFixed(2)}): ${effects(rows, latent)}`,
            ),
            ...decoy.map(
              ({ latent, cosine }) => `  decoy ${latent} (${cosine.toFixed(2)}): ${effects(rows, latent)}`,
            ),
            '',
          ].join('\n'),
        );
        if (out !== undefined) {
          const svg = steeringSvg(figureOf(rows, summary));
          await writeFile(join(out, `${name}-${seed}.svg`), svg);
          await writeFile(join(out, `${name}-${seed}.png`), await steeringPng(svg));
        }
      }
  } finally {
    await rm(work, { recursive: true, force: true });
    await runtime.close();
  }
}
