/**
 * The first stage of the funnel: what each arm does to the log-odds of the positive completions against the
 * negative ones, to first order and by running the changed model on them. Nothing is sampled.
 */
import { meanAblation } from '../../methods/attribution/exact.ts';
import type { Contrast } from '../../methods/site/contrast.ts';
import {
  damage,
  type ForcedPass,
  forcedPass,
  logOddsChange,
  meanOf,
  type PreparedContrast,
  type ResidualChange,
  steeredBy,
  unchanged,
} from '../../methods/steering/forced.ts';
import { passesAtOnce } from '../../models/sessions.ts';
import { inGroups } from '../../models/together.ts';
import { type ForcedRecord, type Operation, type Side, signOf } from '../../results.ts';
import { jsonHash } from '../store/hash.ts';
import type { TestedDirection } from './direction.ts';
import { covered, type FirstOrder, firstOrderOn } from './forcedGradients.ts';
import { armName, madeOf, type Arm as TrialArm } from './trial.ts';
import type { SteeringWork } from './work.ts';

type Arm = TrialArm<Operation>;

const idOf = (side: Side, arm: Arm) => `${side}/${armName(arm)}/forced`;

/** The change of one contrast's residual under an arm. */
type ChangeOn = (prepared: PreparedContrast) => ResidualChange;

const leftAsItIs: ChangeOn = () => unchanged;

function changeUnder(
  { sides, held, options }: SteeringWork,
  side: Side,
  { operation, dose, direction }: Arm,
  vector: Float32Array,
): ChangeOn {
  if (operation === 'add') {
    const amount = dose * direction.sign * sides[side].norm;
    const added = vector.map((x) => amount * x);
    return ({ tree }) => steeredBy(added, covered(options.tokens, tree));
  }
  return ({ tree, sinks }) => {
    const covers = covered(options.heldTokens, tree);
    const places = [...tree.ids.keys()].filter((place) => covers(place) && !sinks.has(place));
    return meanAblation(vector, held.baseline, places);
  };
}

const firstOrderOf = (
  { sides }: SteeringWork,
  side: Side,
  { operation, dose, direction }: Arm,
  vector: Float32Array,
  firstOrder: FirstOrder,
): number =>
  operation === 'add'
    ? firstOrder.adding(vector, dose * direction.sign * sides[side].norm)
    : firstOrder.removing(vector);

/** Arms that are missing, measured one after another; each is kept as it is known. */
async function measure(
  work: SteeringWork,
  side: Side,
  arms: readonly Arm[],
  contentOf: (arm: Arm) => string,
  keep: (record: ForcedRecord) => Promise<void>,
): Promise<void> {
  const { runtime, layer, sides, contrasts } = work;
  const firstOrder = await firstOrderOn(work, side, contrasts);
  const { model } = sides[side].opened;
  const pass = await forcedPass(runtime, model, layer);
  try {
    const losses = await lossesOf(pass, contrasts, passesAtOnce(runtime, model));
    const before = await losses(leftAsItIs);
    for (const arm of arms) {
      const { direction, operation, dose } = arm;
      const [vector] = await direction.vectors();
      const after = await losses(changeUnder(work, side, arm, vector!));
      await keep({
        kind: 'forced',
        id: idOf(side, arm),
        side,
        direction: direction.name,
        latent: direction.latent,
        operation,
        dose,
        content: contentOf(arm),
        estimate: firstOrderOf(work, side, arm, vector!, firstOrder),
        log_odds: meanOf(contrasts.map((contrast, n) => logOddsChange(before[n]!, after[n]!, contrast))),
        damage: meanOf(contrasts.map((_, n) => damage(before[n]!, after[n]!))),
      });
    }
  } finally {
    await pass.release();
  }
}

/** Losses of each contrast's completions under a change. */
async function lossesOf(
  pass: ForcedPass,
  contrasts: readonly Contrast[],
  atOnce: number,
): Promise<(change: ChangeOn) => Promise<number[][]>> {
  const prepared: PreparedContrast[] = [];
  for await (const one of inGroups(contrasts, atOnce, (c) => pass.prepare(c))) prepared.push(one);
  return async (change) => {
    const losses: number[][] = [];
    for await (const one of inGroups(prepared, atOnce, (p) => pass.losses(p, change(p)))) losses.push(one);
    return losses;
  };
}

export interface ForcedEffects {
  /** undefined where it was not measured: of patches, groups and sides that an operation has no part in */
  of(side: Side, operation: string, direction: TestedDirection): ForcedRecord | undefined;
  readonly all: readonly ForcedRecord[];
}

const sidesOf = { add: ['away', 'toward'], remove: ['away'] } as const;

/** Both operations along these directions, from the journal where they are done. */
export async function forcedEffects(
  work: SteeringWork,
  directions: readonly TestedDirection[],
): Promise<ForcedEffects> {
  const found = new Map<string, ForcedRecord>();
  const keyOf = (side: Side, operation: string, name: string) => [side, operation, name].join('/');
  for (const side of ['away', 'toward'] as const)
    for (const record of await forcedOn(work, side, directions))
      found.set(keyOf(side, record.operation, record.direction), record);
  return {
    of: (side, operation, { name }) => found.get(keyOf(side, operation, name)),
    all: [...found.values()],
  };
}

async function forcedOn(
  work: SteeringWork,
  side: Side,
  directions: readonly TestedDirection[],
): Promise<ForcedRecord[]> {
  const { contrasts, options, journal, progress } = work;
  const dose = signOf[side] * options.gateDose;
  const operations = (['add', 'remove'] as const).filter((one) =>
    (sidesOf[one] as readonly Side[]).includes(side),
  );
  const arms = operations.flatMap((operation) =>
    directions.map((direction): Arm => ({ direction, operation, dose: operation === 'add' ? dose : 0 })),
  );
  const texts = contrasts.map(({ prompt, positives, negatives }) => [prompt, positives, negatives]);
  const contents = new Map<string, string>();
  const contentOf = (arm: Arm) => {
    const parts = jsonHash(madeOf(work, side, arm));
    const content = contents.get(parts) ?? jsonHash([texts, parts]);
    contents.set(parts, content);
    return content;
  };
  const done = (arm: Arm): ForcedRecord | undefined => {
    const found = journal.records.get(idOf(side, arm));
    return found?.kind === 'forced' && found.content === contentOf(arm) ? found : undefined;
  };
  const missing = arms.filter((arm) => !done(arm));
  if (missing.length > 0) {
    const stage = progress.stage(`Log-odds, ${side}`, arms.length, arms.length - missing.length);
    journal.begin();
    try {
      await measure(work, side, missing, contentOf, async (record) => {
        await journal.append([record]);
        stage.advance();
      });
    } finally {
      stage.end();
    }
  }
  return arms.map((arm) => done(arm)!);
}
