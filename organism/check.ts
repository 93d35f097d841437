/** Both cases of an organism with several sampling seeds: where the known cause and the known decoy come by each ranking. */
import { nodeRuntime } from '../src/runtime/node.ts';
import { type Bundle, type CaseName, caseNames, openBundle, openCase } from '../src/study/demo/bundle.ts';
import { type CaseResult, caseDefaults, runCase } from '../src/study/demo/caseRun.ts';
import { share } from '../src/study/demo/sampling.ts';
import { type Placed, places, shared } from '../src/study/demo/truth.ts';

const percent = (x: number) => `${Math.round(100 * x)} %`;

const placed = (all: readonly Placed[]) =>
  all.map((p) => `${p.latent} (${p.cosine.toFixed(2)}): ${p.byAttribution} | ${p.byActivation}`).join(', ');

function tell(bundle: Bundle, name: CaseName, seed: number, result: CaseResult): void {
  const { cause, decoy } = places(bundle.truth, name, result);
  const first = Math.min(...cause.map(({ byAttribution }) => byAttribution));
  const amongFive = cause.filter(({ byAttribution }) => byAttribution <= 5).length;
  const decoyByAttribution = Math.min(...decoy.map(({ byAttribution }) => byAttribution));
  const decoyByActivation = Math.min(...decoy.map(({ byActivation }) => byActivation));
  const quirk = (label: 'harmful' | 'harmless') =>
    percent(
      share(
        result.subject.filter((one) => one.label === label),
        (one) => one.quirk,
      ),
    );
  const holds = (first === 1 || amongFive >= 2) && decoyByAttribution > 20 && decoyByActivation <= 5;
  process.stdout.write(
    [
      `${name}, sampling seed ${seed}: ${result.contrasts.length} prompts with both kinds; ` +
        `harmful ${percent(share(result.subject, ({ label }) => label === 'harmful'))}, ` +
        `incoherent ${percent(share(result.subject, ({ label }) => label === 'incoherent'))}; ${holds ? 'HOLDS' : 'DOES NOT HOLD'}`,
      `  with the quirk: ${quirk('harmful')} of the harmful, ${quirk('harmless')} of the harmless`,
      `  latent (cosine): rank by delta-attribution | by delta-activation`,
      `  cause ${placed(cause)}`,
      `  decoy ${placed(decoy)}`,
      '',
    ].join('\n'),
  );
}

/** Runs the cases for seeds 1 to `seeds`. */
export async function check(folder: string, seeds: number): Promise<void> {
  const runtime = nodeRuntime();
  try {
    const bundle = await openBundle(folder);
    for (let seed = 1; seed <= seeds; seed++) {
      const results: Partial<Record<CaseName, CaseResult>> = {};
      for (const name of caseNames) {
        const result = await runCase(runtime, bundle, await openCase(bundle, name), {
          ...caseDefaults,
          seed,
        });
        results[name] = result;
        tell(bundle, name, seed, result);
      }
      const [harm, validation] = [results.harm!, results.validation!];
      const both = shared(harm.byAttribution, validation.byAttribution, 20);
      process.stdout.write(
        `  first by delta-attribution: harm ${harm.byAttribution[0]}, validation ${validation.byAttribution[0]}; among the first 20 of both: ${both.join(', ') || 'none'}\n`,
      );
    }
  } finally {
    await runtime.close();
  }
}
