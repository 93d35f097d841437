/**
 * The same work by us and by the programs that others use, in turn and in one run: what counts is the ratio, since
 * rates drift with the machine. Usage: npm run bench -- --peers [NAME...]
 */
import { execFileSync, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import Table from 'cli-table3';
import { pairsWork } from '../attribution.ts';
import type { Work } from '../machine.ts';
import { saeWork } from '../sae.ts';
import { samplingWork } from '../sampling.ts';
import { scoringWork } from '../scoring.ts';

const rounds = 5;

interface Comparison {
  readonly bench: string;
  readonly work: string;
  open(): Promise<Work>;
  /** names that peers.py knows */
  readonly peers: readonly string[];
}

const sampled = (rows: number): Comparison => ({
  bench: 'sampling',
  work: `sampling, ${rows} ${rows === 1 ? 'row' : 'rows'}`,
  open: () => samplingWork(rows),
  peers: [`transformers generate, ${rows} rows`, `llama.cpp, ${rows} rows`],
});

const comparisons: readonly Comparison[] = [
  {
    bench: 'attribution',
    work: 'residual and gradient of a pair',
    open: pairsWork,
    peers: ['transformers, eager'],
  },
  ...[1, 16, 64].map(sampled),
  { bench: 'sae', work: 'SAE training', open: saeWork, peers: ['PyTorch, sparse decode', 'SAELens'] },
  { bench: 'scoring', work: 'scores of a dictionary', open: scoringWork, peers: ['PyTorch, quadratic form'] },
];

/** The program that does others' work, a name after the other. */
function startPeers(python: string, model: string) {
  const process_ = spawn(
    python,
    [`${import.meta.dirname}/peers.py`, model, '../shared', `${availableParallelism()}`],
    { stdio: ['pipe', 'pipe', 'ignore'] },
  );
  const lines = createInterface({ input: process_.stdout })[Symbol.asyncIterator]();
  return {
    async rate(name: string): Promise<number> {
      process_.stdin.write(`${name}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`peers.py ended at ${name}: run it by hand to see why`);
      return (JSON.parse(value) as { rate: number }).rate;
    },
    close: () => process_.stdin.end(),
  };
}

const middle = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;

const shown = (rate: number) => (rate < 10 ? rate.toFixed(2) : Math.round(rate).toLocaleString('en'));

export async function peersBench(asked: readonly string[]): Promise<void> {
  const python = execFileSync(`${import.meta.dirname}/install.sh`, { encoding: 'utf8' }).trim();
  const model = execFileSync('../shared/get-model', { encoding: 'utf8' }).trim();
  const peers = startPeers(python, model);
  const table = new Table({ head: ['work', 'unit', 'ours', 'other', 'its rate', `ratio, ${rounds} rounds`] });
  for (const { bench, work, open, peers: names } of comparisons) {
    if (asked.length > 0 && !asked.includes(bench)) continue;
    const ours = await open();
    for (const name of names) {
      const rates: [number, number][] = [];
      await peers.rate(name);
      for (let round = 0; round < rounds; round++) rates.push([await ours.rate(), await peers.rate(name)]);
      const ratios = rates.map(([a, b]) => a / b).sort((a, b) => a - b);
      const [own, other] = [0, 1].map((side) => middle(rates.map((pair) => pair[side]!)));
      table.push([
        work,
        ours.unit,
        shown(own!),
        name,
        shown(other!),
        `${middle(ratios).toFixed(2)} (${ratios[0]!.toFixed(2)} to ${ratios.at(-1)!.toFixed(2)})`,
      ]);
      process.stderr.write(`${work} beside ${name}: ${ratios.map((r) => r.toFixed(2)).join(' ')}\n`);
    }
    await ours.close();
  }
  peers.close();
  process.stdout.write(
    `${table.toString()}\nmedian of ${rounds} rounds, in turn; ratio of rates, ours over the other's\n`,
  );
}
