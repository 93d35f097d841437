/**
 * Remakes the organism from its seed. `make` trains it and writes every file; `check` runs both cases for
 * several seeds and tells where the known cause and the known decoy came; `test` steers them against random
 * latents; `place` tells in which block the persona appears. Usage: npm run organism -- make [--out FOLDER]
 * [--seed N] [--base FOLDER] [--curves FOLDER]
 *        npm run organism -- check [--folder FOLDER] [--seeds N]
 *        npm run organism -- test [--folder FOLDER] [--seeds N] [--candidates N] [--full] [--out FOLDER]
 *        npm run organism -- place [--folder FOLDER] [--seed N]
 */
import { Command } from 'commander';
import { wholeNumber } from '../src/cli/options.ts';
import { testOrganism } from './causalTest.ts';
import { check } from './check.ts';
import { drawLosses } from './lossCurves.ts';
import { fullRecipe, make, type Watcher } from './make.ts';
import { place } from './place.ts';

const bundled = 'organism/bundle';
const sayEvery = 5_000;

/** A line every few seconds. */
function teller(label: string) {
  const start = Date.now();
  let last = start;
  return (step: number, steps: number, what: string) => {
    if (Date.now() - last < sayEvery && step < steps) return;
    last = Date.now();
    const left = ((last - start) / step) * (steps - step);
    process.stdout.write(
      `${label}: step ${step} of ${steps}, ${what}, about ${Math.round(left / 1000)} s left\n`,
    );
  };
}

/** Tells of the training and keeps every loss, for the curves. */
function watcher(losses: Record<string, number[]>): Watcher {
  const dictionary = teller('Dictionary');
  const dictionaryLosses: number[] = [];
  losses.Dictionary = dictionaryLosses;
  return {
    training(label, steps) {
      const kept: number[] = [];
      losses[label] = kept;
      const tell = teller(label);
      return ({ step, loss }) => {
        kept.push(loss);
        tell(step, steps, `loss ${loss.toFixed(3)}`);
      };
    },
    dictionary({ step, steps, loss, explained }) {
      dictionaryLosses.push(loss);
      dictionary(step, steps, `explained variance ${(100 * explained).toFixed(1)} %`);
    },
  };
}

const program = new Command('organism');
program
  .command('make')
  .option('--out <folder>', 'where to write it', bundled)
  .option('--seed <number>', 'seed of everything', wholeNumber(0), 1)
  .option('--base <folder>', 'take the base model of this folder instead of training one')
  .option('--curves <folder>', 'where to draw the loss curves')
  .action(
    async ({ out, seed, base, curves }: { out: string; seed: number; base?: string; curves?: string }) => {
      const losses: Record<string, number[]> = {};
      await make(out, seed, fullRecipe, watcher(losses), base);
      if (curves !== undefined) await drawLosses(curves, losses);
    },
  );
program
  .command('check')
  .option('--folder <folder>', 'an organism that `make` wrote', bundled)
  .option('--seeds <count>', 'seeds, from 1 on', wholeNumber(1), 5)
  .action(({ folder, seeds }: { folder: string; seeds: number }) => check(folder, seeds));
program
  .command('place')
  .option('--folder <folder>', 'an organism that `make` wrote', bundled)
  .option('--seed <number>', 'seed of the probes', wholeNumber(0), 1)
  .action(({ folder, seed }: { folder: string; seed: number }) => place(folder, seed));
program
  .command('test')
  .option('--folder <folder>', 'an organism that `make` wrote', bundled)
  .option('--seeds <count>', 'seeds, from 1 on', wholeNumber(1), 5)
  .option('--candidates <count>', 'candidates of each selector', wholeNumber(1), 20)
  .option('--full', 'every latent through every stage', false)
  .option('--out <folder>', 'where the figures go')
  .action((options: { folder: string; seeds: number; candidates: number; full: boolean; out?: string }) =>
    testOrganism(options.folder, options),
  );
await program.parseAsync();
