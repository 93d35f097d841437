/**
 * What effect a causal test can find: power against the criterion `confirmed` of inference.ts, by simulation of
 * effects and not of completions (docs/method.md section 5). Knows no model.
 */
import { quantile } from '../statistics/bootstrap.ts';
import { gammasFrom } from '../statistics/gamma.ts';
import { generatorOf, normalsFrom } from '../statistics/random.ts';
import { studentTail } from '../statistics/studentT.ts';
import { movedBelow } from './inference.ts';
import { momentsOf } from './likeRandom.ts';
import { tailDegrees } from './tails.ts';

export interface PowerConfig {
  /** evaluation prompts, and completions of each */
  readonly prompts: number;
  readonly completions: number;
  /** random directions, and candidates, those not sampled too */
  readonly random: number;
  readonly candidates: number;
  /** 1: the share must fall (removal). 2: it must fall on one model and rise on the other (steering) */
  readonly sides: 1 | 2;
  /** tests that share the error rate; default 2, removal and steering */
  readonly tests?: number;
  /** of positives among completions left alone, on each side; default 0.5 */
  readonly share?: number;
  /** correlation of two completions of a prompt, 0 to 1; default 0.3 */
  readonly icc?: number;
  /** deviation of the random directions' true effects; default 0.03 */
  readonly spread?: number;
  /** correlation of their true effects on the two sides; default 0.3 */
  readonly correlation?: number;
  /** default 1 */
  readonly seed?: number;
}

export interface Power {
  /** chance that a candidate with this effect (0 to 1, in the direction of a cause) is confirmed */
  of(effect: number): number;
  /** least effect that is confirmed with this chance; undefined where no effect the share leaves room for is */
  effectFor(power: number): number | undefined;
  /** completions to sample: random directions and candidates on each side, and those left alone */
  readonly completions: number;
}

const simulated = { studies: 600, nullDraws: 1000 };
const level = 0.05;

/** What a candidate's t is compared with, given the tails that were fitted. */
interface Criterion {
  /** of the least t over sides, family-wise */
  readonly joint: number;
  /** t of one side, sorted, as often as they occur by chance */
  readonly side: Float64Array;
}

/** Share of sorted values of at least x; never below one over their number. */
function shareFrom(sorted: Float64Array, x: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < x) low = middle + 1;
    else high = middle;
  }
  return Math.max(1, sorted.length - low) / sorted.length;
}

interface Model extends Required<Omit<PowerConfig, 'seed'>> {
  readonly random: number;
}

/** Variance of a share over the completions, prompts being the same for all directions. */
const noiseOf = (model: Model, share: number) =>
  (Math.max(0, share * (1 - share)) * (1 - model.icc)) / (model.prompts * model.completions);

function criterionOf(model: Model, degrees: number, seed: number): Criterion {
  const generator = generatorOf(seed);
  const [normal, gamma] = [normalsFrom(generator), gammasFrom(generator)];
  const { random, candidates, sides, tests, spread, correlation } = model;
  const noise = noiseOf(model, model.share);
  const total = spread ** 2 + noise;
  const z = Math.atanh((correlation * spread ** 2) / total);
  const values = Array.from({ length: sides }, () => new Float64Array(random + candidates));
  const maxima: number[] = [];
  const pool: Float64Array[] = [];
  for (let draw = 0; draw < simulated.nullDraws; draw++) {
    // its estimate from the random ones, and what `likeRandom` adds for that being one
    const shared = random > 3 ? Math.tanh(z + normal() * Math.sqrt(2 / (random - 3))) : 1;
    for (let i = 0; i < random + candidates; i++) {
      const size = degrees === Number.POSITIVE_INFINITY ? 1 : Math.sqrt(degrees / 2 / gamma(degrees / 2));
      const one = normal();
      values[0]![i] = size * one;
      if (sides === 2) values[1]![i] = size * (shared * one + Math.sqrt(1 - shared ** 2) * normal());
    }
    const t = values.map((side) => {
      let [sum, squares] = [0, 0];
      for (let i = 0; i < random; i++) {
        sum += side[i]!;
        squares += side[i]! ** 2;
      }
      const mean = sum / random;
      const scale = Math.sqrt(((squares - random * mean * mean) / (random - 1)) * (1 + 1 / random));
      return side.subarray(random).map((value) => (value - mean) / scale);
    });
    pool.push(t[draw % sides]!);
    const [first, last] = [t[0]!, t.at(-1)!];
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < candidates; i++) most = Math.max(most, Math.min(first[i]!, last[i]!));
    maxima.push(most);
  }
  return {
    joint: quantile(Float64Array.from(maxima).sort(), 1 - level / tests),
    side: Float64Array.from(pool.flatMap((side) => [...side])).sort(),
  };
}

/** One simulated study, as far as the effect of the one real candidate does not matter. */
interface SimulatedStudy {
  readonly criterion: Criterion;
  readonly sides: readonly {
    /** m and s √(1 + 1/n) of the random ones, signed */
    readonly mean: number;
    readonly scale: number;
    /** error of the completions left alone, and of the real candidate's, in deviations */
    readonly alone: number;
    readonly own: number;
    /** the real candidate's standard error as estimated, over the true one */
    readonly estimated: number;
    /** other candidates that seem to move this side */
    readonly moved: number;
  }[];
  /** greatest least studentised effect of candidates without any effect */
  readonly noEffect: number;
}

function simulateStudies(model: Model, seed: number): SimulatedStudy[] {
  const generator = generatorOf(seed);
  const [normal, gamma] = [normalsFrom(generator), gammasFrom(generator)];
  const { random, candidates, sides, spread, correlation, prompts } = model;
  /** a standard error estimated from the prompts, over the true one */
  const estimated = () => Math.sqrt((2 * gamma((prompts - 1) / 2)) / (prompts - 1));
  const noise = Math.sqrt(noiseOf(model, model.share));
  const criteria = new Map<number, Criterion>();
  const criterion = (degrees: number) => {
    const known = criteria.get(degrees) ?? criterionOf(model, degrees, seed + 1);
    criteria.set(degrees, known);
    return known;
  };
  const direction = (): number[] => {
    const shared = normal();
    const own = Math.sqrt(1 - correlation ** 2);
    return Array.from({ length: sides }, (_, d) => {
      const real = d === 0 ? shared : correlation * shared + own * normal();
      return spread * real + noise * normal();
    });
  };
  return Array.from({ length: simulated.studies }, () => {
    const controls = Array.from({ length: random }, direction);
    const others = Array.from({ length: candidates - 1 }, direction);
    const found = criterion(tailDegrees(controls));
    const errors = Array.from({ length: sides }, () => noise * normal());
    const own = Array.from({ length: sides }, normal);
    const of = Array.from({ length: sides }, (_, d) => {
      const { mean, deviation } = momentsOf(controls.map((effects) => effects[d]!));
      const scale = deviation * Math.sqrt(1 + 1 / random);
      const moved = others.filter(
        (effects) =>
          shareFrom(found.side, (effects[d]! - mean) / scale) < movedBelow.familyWise &&
          studentTail((effects[d]! - errors[d]!) / (noise * Math.SQRT2 * estimated()), prompts - 1) <
            movedBelow.familyWise,
      ).length;
      return { mean, scale, alone: errors[d]!, own: own[d]!, estimated: estimated(), moved };
    });
    const nothing = Array.from({ length: candidates }, () =>
      Math.min(...of.map(({ alone }) => (noise * normal() - alone) / (noise * Math.SQRT2 * estimated()))),
    );
    return { criterion: found, sides: of, noEffect: Math.max(...nothing) };
  });
}

/**
 * Power of a causal test of one operation. The random directions' effects are normal: their true ones with
 * deviation `spread`, and the error of a share p over the completions, p (1 − p) (1 − icc) / (prompts ·
 * completions): what prompts differ by is the same for all directions. One candidate has the effect asked for on
 * each side; the others are as the random ones. The three null hypotheses are tested as `inferEffects` does;
 * studentised effects stand for the exchanges. Throws RangeError for fewer than three random directions, two
 * prompts, or one completion or candidate, and for a share or an icc outside 0 to 1.
 */
export function powerOf(config: PowerConfig): Power {
  const defaults = { tests: 2, share: 0.5, icc: 0.3, spread: 0.03, correlation: 0.3, seed: 1 };
  const { seed, ...model } = { ...defaults, ...config };
  const { random, prompts, completions, candidates, sides, share, icc, tests } = model;
  if (!(random >= 3 && prompts >= 2 && completions >= 1 && candidates >= 1))
    throw new RangeError(
      `powerOf: ${random} random directions, ${prompts} prompts, ${completions} completions, ${candidates} candidates; expected at least 3, 2, 1, 1`,
    );
  if (!(share > 0 && share < 1 && icc >= 0 && icc < 1))
    throw new RangeError(`powerOf: share ${share}, icc ${icc}; expected from 0 to 1`);
  const studies = simulateStudies(model, seed);
  const nothing = quantile(
    Float64Array.from(studies.map(({ noEffect }) => noEffect)).sort(),
    1 - level / tests,
  );
  const befores = [share, 1 - share];
  // the p of an exchange counts those that come out the same, and effects are steps of one completion
  const halfStep = 1 / (2 * prompts * completions);

  const confirmed = (study: SimulatedStudy, effect: number): boolean => {
    const seen = study.sides.map(({ mean, scale, alone, own, estimated }, d) => {
      const before = befores[d]!;
      const moved = effect + Math.sqrt(noiseOf(model, before - effect)) * own;
      // as it is estimated: from the shares that were seen
      const error = Math.sqrt(noiseOf(model, before - moved) + noiseOf(model, before - alone));
      return { t: (moved - mean) / scale, studentised: (moved - alone - halfStep) / (estimated * error) };
    });
    if (!(Math.min(...seen.map(({ t }) => t)) > study.criterion.joint)) return false;
    if (!(Math.min(...seen.map(({ studentised }) => studentised)) > nothing)) return false;
    if (sides === 1) return true;
    const p = seen.map(({ t, studentised }) =>
      Math.max(shareFrom(study.criterion.side, t), studentTail(studentised, prompts - 1)),
    );
    return p.every(
      (one, d) => one < movedBelow.familyWise && 2 * tests * (1 + study.sides[1 - d]!.moved) * one < level,
    );
  };
  const of = (effect: number) => studies.filter((study) => confirmed(study, effect)).length / studies.length;
  const most = sides === 1 ? share : Math.min(share, 1 - share);
  return {
    of,
    effectFor(power) {
      if (of(most) < power) return undefined;
      let [low, high] = [0, most];
      while (high - low > 0.001) {
        const middle = (low + high) / 2;
        if (of(middle) < power) low = middle;
        else high = middle;
      }
      return high;
    },
    completions: sides * (random + candidates + 1) * prompts * completions,
  };
}
