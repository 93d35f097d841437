/**
 * A causal test's work on the tiny subject, with a grader that is a plain function of text and a journal in
 * memory.
 */
import { createHash } from 'node:crypto';
import { free, type JudgeItem, type Verdict } from '../../../src/judges/judge.ts';
import type { Dictionary } from '../../../src/methods/attribution/score.ts';
import type { Contrast } from '../../../src/methods/site/contrast.ts';
import type { Role } from '../../../src/results.ts';
import type { CachedSession, Runtime, Session } from '../../../src/runtime/runtime.ts';
import { openModel } from '../../../src/study/open/openModel.ts';
import { openSae } from '../../../src/study/open/openSae.ts';
import { silent } from '../../../src/study/open/progress.ts';
import {
  latentDirection,
  type TestedDirection,
  vectorDirection,
} from '../../../src/study/steering/direction.ts';
import {
  type Grader,
  type HeldMeans,
  type SteeringOptions,
  type SteeringPrompt,
  type SteeringRecord,
  type SteeringWork,
  steeringRecord,
} from '../../../src/study/steering/work.ts';
import type { Journal } from '../../../src/study/store/journal.ts';
import { draw } from '../../support/opCases.ts';
import { layer, pairs, type TinyFolder, width } from '../../support/tinyFolder.ts';

/** Positive where it has a letter, incoherent where it is shorter than two characters. */
export function verdictOn(text: string): Pick<Verdict, 'label' | 'coherent'> {
  return { label: /[A-Za-z]/.test(text) ? 'positive' : 'negative', coherent: text.length >= 2 };
}

export function verdictOf({ label, coherent }: Pick<Verdict, 'label' | 'coherent'>): Verdict {
  const cost = { ...free, calls: 1 };
  const score = Number(label === 'positive');
  return { score, label, coherence: Number(coherent), coherent, reason: '', raw: '', cost };
}

/** Grades by text alone, and keeps what it was asked. */
export function countingGrader(of = ({ completion }: JudgeItem) => verdictOn(completion)) {
  const asked: string[][] = [];
  const grade: Grader = async (items, onVerdict) => {
    asked.push(items.map(({ id }) => id));
    for (const item of items) await onVerdict(item, verdictOf(of(item)));
    return {};
  };
  return { asked, grade };
}

/**
 * A runtime that counts its sessions that are not released, and its runs; `onLoad` is told of each load
 * before it is done.
 */
export function countedRuntime(runtime: Runtime, onLoad: (loads: number) => void = () => {}) {
  const counts = { loads: 0, open: 0, runs: 0 };
  const counted =
    <A extends unknown[], S extends Session | CachedSession>(load: (...args: A) => Promise<S>) =>
    async (...args: A): Promise<S> => {
      onLoad(counts.loads++);
      const session = await load(...args);
      counts.open++;
      return Object.create(session, {
        run: {
          value: (...given: Parameters<S['run']>) => {
            counts.runs++;
            return (session.run as (...all: Parameters<S['run']>) => unknown).apply(session, given);
          },
        },
        release: {
          value: () => {
            counts.open--;
            return session.release();
          },
        },
      });
    };
  const spied: Runtime = Object.create(runtime, {
    load: { value: counted((...args: Parameters<Runtime['load']>) => runtime.load(...args)) },
    loadCached: {
      value: counted((...args: Parameters<Runtime['loadCached']>) => runtime.loadCached(...args)),
    },
  });
  return { counts, runtime: spied };
}

/** Keeps records as a file would: as JSON. */
export function memoryJournal(before: Iterable<SteeringRecord> = []) {
  const records = new Map([...before].map((record) => [record.id, record]));
  const journal: Journal<SteeringRecord> = {
    path: 'memory',
    records,
    seconds: 0,
    begin() {},
    async append(added) {
      for (const one of added) records.set(one.id, steeringRecord.parse(JSON.parse(JSON.stringify(one))));
    },
  };
  return journal;
}

/**
 * The seed of a completion, from what docs say of it: of the study's seed, its prompt and its number alone.
 */
export function seedOf(seed: number, prompt: string, index: number): number {
  return createHash('sha256')
    .update(JSON.stringify(['steer', seed, prompt, index]))
    .digest()
    .readInt32LE();
}

export const options: SteeringOptions = {
  doses: [0.1, 0.3, 0.6],
  incoherence: 'judge',
  incoherent: 0.1,
  calibrationCompletions: 3,
  completions: 4,
  aside: 0.4,
  remeasured: 2,
  randomSteered: 100,
  patch: false,
  full: true,
  gateDose: 0.2,
  gateShare: 0.5,
  tokens: 'all',
  heldTokens: 'all',
  sampling: { temperature: 1, maxTokens: 6 },
  rows: 7,
  seed: 11,
};

export const norm = { away: 4, toward: 5 };

const mean = (seed: number) => {
  const d = draw(seed);
  return Float32Array.from({ length: width }, () => 0.3 * d.normal());
};
export const held: HeldMeans = { baseline: mean(21), subject: mean(22), hash: 'made' };

/** σ of the made latents: some of either sign. */
export const signFor = (latent: number): 1 | -1 => (latent % 3 === 0 ? -1 : 1);

export const latentsAs = (
  role: 'candidate' | 'random',
  latents: readonly number[],
  dictionary: Dictionary,
): TestedDirection[] =>
  latents.map((latent) => latentDirection(dictionary, latent, { role, sign: signFor(latent) }));

/** A random unit vector as a direction. */
export function unitDirection(name: string, role: Role, seed: number): TestedDirection {
  const d = draw(seed);
  const vector = Float32Array.from({ length: width }, () => d.normal());
  const length = Math.hypot(...vector);
  return vectorDirection(
    name,
    role,
    vector.map((x) => x / length),
  );
}

export async function openTiny(folder: TinyFolder) {
  const subject = await openModel(folder.model, { adapter: folder.adapter });
  const reference = await openModel(folder.model);
  const { codec } = subject;
  const prompt = (id: string, text: string): SteeringPrompt => ({
    id,
    prompt: text,
    ids: codec.encodePrompt(text),
  });
  const contrasts = pairs.map(({ prompt, positive, negative }, i): Contrast => {
    const ids = (text: string) => codec.tokenizer.encode(text);
    const given = typeof prompt === 'string' ? prompt : prompt.map(({ content }) => content).join(' ');
    return {
      id: `c${i}`,
      prompt: codec.encodePrompt(given),
      positives: i === 0 ? [ids(positive), ids(' Yes')] : [ids(positive)],
      negatives: [ids(negative)],
    };
  });
  return {
    subject,
    reference,
    dictionary: await openSae(folder.sae),
    contrasts,
    prompts: {
      calibration: ['The hen', 'A hat, then?'].map((text, i) => prompt(`cal${i}`, text)),
      evaluation: ['What now?', 'The tea in the', '12 and', 'Is it late? It', 'Rain.'].map((text, i) =>
        prompt(`eva${i}`, text),
      ),
    },
  };
}

type Opened = Awaited<ReturnType<typeof openTiny>>;

export function madeWork(
  runtime: Runtime,
  { subject, reference, dictionary, contrasts, prompts }: Opened,
  over: Partial<SteeringWork> = {},
): SteeringWork {
  return {
    runtime,
    layer,
    dictionary,
    sides: {
      away: { opened: subject, norm: norm.away },
      toward: { opened: reference, norm: norm.toward },
    },
    prompts,
    contrasts,
    candidates: [],
    controls: [],
    others: [],
    held,
    options,
    grade: countingGrader().grade,
    likelihood: () => Promise.reject(new Error('the likelihood was asked, though the judge decides')),
    journal: memoryJournal(),
    progress: silent,
    ...over,
  };
}
