/** Every benchmark, one after another. Usage: npm run bench [-- NAME...], or npm run bench -- --peers [NAME...] */
import { existsSync } from 'node:fs';
import { attributionBench } from './attribution.ts';
import { largeDictionaryBench } from './largeDictionary.ts';
import { largeModelBench } from './largeModel.ts';
import { openingBench } from './opening.ts';
import { passagesBench } from './passages.ts';
import { peersBench } from './peers/peers.ts';
import { saeBench } from './sae.ts';
import { samplingBench } from './sampling.ts';
import { scoringBench } from './scoring.ts';

const benches: Record<string, () => Promise<void>> = {
  attribution: attributionBench,
  largeDictionary: largeDictionaryBench,
  opening: openingBench,
  passages: passagesBench,
  sae: saeBench,
  sampling: samplingBench,
  scoring: scoringBench,
};

if (!existsSync('../shared/get-model')) {
  process.stderr.write('bench: needs ../shared, the real model and its pairs\n');
  process.exit(2);
}
/** Those that need room: 15 GB of disk, half an hour. */
const onlyAsked: Record<string, () => Promise<void>> = { largeModel: largeModelBench };

const asked = process.argv.slice(2).filter((name) => name in benches || name in onlyAsked);
if (process.argv.includes('--peers')) await peersBench(asked);
else
  for (const name of asked.length > 0 ? asked : Object.keys(benches)) {
    process.stdout.write(`\n# ${name}\n`);
    await (benches[name] ?? onlyAsked[name])!();
  }
