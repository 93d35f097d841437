/**
 * The validation by steering on both cases of an organism, with several sampling seeds: which selectors'
 * latents leave the gray zone, and where cause and decoy are.
 */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { progressOn } from '../src/cli/progress.ts';
import { selectorNames } from '../src/methods/attribution/selectors/selectors.ts';
import { type RankedSteeringRow, resultFiles, type SteeringSummary, signedPoints } from '../src/results.ts';
import { caseNames, readTruth } from '../src/study/demo/bundle.ts';
import { writeDemoStudies } from '../src/study/demo/demoStudies.ts';
import { knownLatents } from '../src/study/demo/truth.ts';
import { runStudy } from '../src/study/run/studyRun.ts';

function effects(rows: readonly RankedSteeringRow[], latent: number): string {
  const found = rows.filter((row) => row.latent === latent);
  return found
    .map(
      ({ operation, side, stage, dose, effect, low, high, verdict }) =>
        `${operation} ${side} ${signedPoints(effect)} [${signedPoints(low)}, ${signedPoints(high)}] at ${dose ?? '-'} (${stage}, ${verdict})`,
    )
    .join('; ');
}

function tell(summary: SteeringSummary): string[] {
  const { zone, alone, selectors, first, stages, log_odds_agreement } = summary;
  const places = ['remove', 'away', 'toward'] as const;
  const band = (place: (typeof places)[number]) =>
    `${place} ${signedPoints(zone[place].low)}..${signedPoints(zone[place].high)}`;
  const share = ({ positives, coherent }: typeof alone.away) =>
    `${Math.round((100 * positives) / coherent)} %`;
  return [
    `  left alone: subject ${share(alone.away)}, reference ${share(alone.toward)}; gray zone ${places.map(band).join(', ')}; ` +
      `log-odds against effect: ${places.map((place) => `${place} ${log_odds_agreement[place]?.toFixed(2)}`).join(', ')}`,
    `  stages: ${JSON.stringify(stages)}`,
    `  first: ${first === null ? 'none' : `${first.latent} by ${first.operation}, family-wise p ${first.family_wise_p.toFixed(4)}`}`,
    ...selectors.map(
      ({ selector, candidates, confirmed, outside, mean_effect }) =>
        `  ${selector}: of ${candidates} confirmed ${confirmed.either} (removal ${confirmed.remove}, steering ${confirmed.add}); outside removed ${outside.remove}, away ${outside.away}, toward ${outside.toward}, both ${outside.both}; mean effect ${places.map((place) => signedPoints(mean_effect[place])).join(' ')}`,
    ),
  ];
}

/** Has a study test the candidates of every selector. */
async function testAll(study: string, candidates: number): Promise<void> {
  const path = join(study, resultFiles.study);
  const document = parseDocument(await readFile(path, 'utf8'));
  document.setIn(['steering', 'selectors'], [...selectorNames]);
  document.setIn(['steering', 'candidates'], candidates);
  await writeFile(path, document.toString());
}

/** Runs the causal test for seeds 1 to `seeds`; figures go to `out`, where it is named. */
export async function testOrganism(
  organism: string,
  { seeds, candidates, full, out }: { seeds: number; candidates: number; full: boolean; out?: string },
): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'culprit-test-'));
  const progress = progressOn(process.stderr);
  const stages = ['sample', 'grade', 'pair', 'attribute', 'steer'];
  try {
    const truth = await readTruth(organism);
    for (let seed = 1; seed <= seeds; seed++) {
      const folders = await writeDemoStudies(organism, join(work, `${seed}`), { seed, random: 50 });
      for (const [i, name] of caseNames.entries()) {
        const study = folders[i]!;
        await testAll(study, candidates);
        const start = Date.now();
        const { rows, summary } = (await runStudy({ study, stages, full, progress })).steer!;
        const { cause, decoy } = knownLatents(truth, name);
        const line = (mark: string) => (one: { latent: number; cosine: number }) =>
          `  ${mark} ${one.latent} (${one.cosine.toFixed(2)}): ${effects(rows, one.latent)}`;
        process.stdout.write(
          [
            `${name}, seed ${seed}, ${Math.round((Date.now() - start) / 1000)} s`,
            ...tell(summary),
            ...cause.map(line('cause')),
            ...decoy.map(line('decoy')),
            '',
          ].join('\n'),
        );
        if (out === undefined) continue;
        await copyFile(join(study, resultFiles.steeringSvg), join(out, `${name}-${seed}.svg`));
        await copyFile(join(study, resultFiles.steeringPng), join(out, `${name}-${seed}.png`));
      }
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
