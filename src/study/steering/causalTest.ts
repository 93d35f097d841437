/**
 * The causal test. First the log-odds of all directions, then the subject: projections removed, directions added
 * away; then the reference: directions added toward, projections patched. Random latents go first and through
 * all of it; candidates as far as the gate lets them; then what needs no dictionary. The first candidates are
 * measured again on the prompts kept aside.
 */
import type { ForcedRecord, GreedyStep, Operation, Side, TrialRecord } from '../../results.ts';
import { type ArmOutcome, effectIn, unsampled } from './armOutcome.ts';
import { groupDirection, groupSize, type TestedDirection } from './direction.ts';
import { type ForcedEffects, forcedEffects } from './forcedEffects.ts';
import { furtherArms, furtherOperations, systemDirection } from './furtherArms.ts';
import { type Gate, type Gated, throughGate } from './gate.ts';
import { checkRandomEffects } from './randomZone.ts';
import { type OpenSide, openSide } from './side.ts';
import type { Unsteered } from './unsteered.ts';
import type { SteeringWork } from './work.ts';

export interface CausalTest {
  readonly outcomes: readonly ArmOutcome[];
  readonly unsteered: Readonly<Record<Side, Unsteered>>;
  /** how a group was built; undefined where none was */
  readonly greedy?: readonly GreedyStep[] | undefined;
  /** undefined where every candidate was sampled */
  readonly gate: Gate | undefined;
  readonly forced: readonly ForcedRecord[];
  /** all that was sampled, left alone too */
  readonly trials: readonly TrialRecord[];
}

/** What is sampled of one model. */
interface SidePlan {
  /** held: `remove` on the subject, `patch` on the reference */
  readonly hold: 'remove' | 'patch' | undefined;
  readonly held: readonly TestedDirection[];
  readonly added: readonly TestedDirection[];
}

const named = (outcomes: readonly ArmOutcome[], operation: Operation) =>
  outcomes.filter((one) => one.operation === operation);

/** Each direction's arms, the random latents' first. */
async function sampleSide(work: SteeringWork, open: OpenSide, plan: SidePlan): Promise<ArmOutcome[]> {
  const { controls, others, options } = work;
  const { side, unsteered } = open;
  const gaussian = others.filter(({ role }) => role === 'gaussian');
  const comparisons = others.filter(({ role }) => role !== 'gaussian');
  const out: ArmOutcome[] = [];
  if (plan.hold !== undefined) {
    const verb = { remove: 'removed', patch: 'patched' }[plan.hold];
    const random = await open.hold(plan.hold, controls, `Random latents ${verb}`);
    checkRandomEffects(random, unsteered.limit, options);
    out.push(...random);
    out.push(...(await open.hold(plan.hold, plan.held, `Candidates ${verb}`)));
    out.push(...(await open.hold(plan.hold, others, `Other directions ${verb}`)));
  }
  const random = await open.add(controls.slice(0, options.randomSteered), `Random latents, ${side}`);
  checkRandomEffects(random, unsteered.limit, options);
  const candidates = await open.add(plan.added, `Candidates, ${side}`);
  out.push(...random, ...candidates, ...(await open.add(gaussian, `Random directions, ${side}`)));
  const dose = [...candidates, ...random].find((one) => one.dose !== undefined)?.dose;
  if (dose !== undefined)
    out.push(...(await open.addAt(comparisons, Math.abs(dose), `Other directions, ${side}`)));
  return out;
}

/** Candidates by how far they move the share of positives as a cause does, over the sides of an operation. */
function firstBy(
  { candidates, options }: SteeringWork,
  outcomes: readonly ArmOutcome[],
  operation: Operation,
): TestedDirection[] {
  const moved = (direction: TestedDirection) => {
    const arms = named(outcomes, operation).filter((one) => one.direction.name === direction.name);
    const effects = arms.map((one) => (one.side === 'away' ? -1 : 1) * effectIn(one));
    return arms.length === 0 ? Number.NaN : Math.min(...effects);
  };
  return candidates
    .map((direction) => ({ direction, by: moved(direction) }))
    .filter(({ by }) => !Number.isNaN(by))
    .sort((a, b) => b.by - a.by)
    .slice(0, options.remeasured)
    .map(({ direction }) => direction);
}

/** The first candidates by their ranks that are removed together: two of them, then three. */
function groupsOf({ candidates, options }: SteeringWork): TestedDirection[] {
  const most = Math.min(groupSize(options.remeasured), candidates.length);
  return Array.from({ length: Math.max(0, most - 1) }, (_, k) => groupDirection(candidates.slice(0, k + 2)));
}

/** Outcomes of some directions under an operation, measured again; the others as they are. */
async function withAside(
  open: OpenSide,
  outcomes: readonly ArmOutcome[],
  first: ReadonlyMap<Operation, readonly TestedDirection[]>,
): Promise<ArmOutcome[]> {
  const isFirst = ({ side, stage, operation, direction }: ArmOutcome) =>
    side === open.side &&
    stage === 'sampled' &&
    (direction.role === 'group' ||
      first.get(operation)?.some(({ name }) => name === direction.name) === true);
  const again = await open.again(outcomes.filter(isFirst), `The first again, ${open.side}`);
  const left = [...again];
  return outcomes.map((one) => (isFirst(one) ? left.shift()! : one));
}

/** Candidates that an operation leaves out, with their log-odds. */
function leftOut(work: SteeringWork, forced: ForcedEffects, { removed, added }: Gated): ArmOutcome[] {
  const without = (sampled: readonly TestedDirection[], side: Side, operation: Operation) =>
    work.candidates
      .filter((one) => !sampled.includes(one))
      .map((direction) =>
        unsampled({ direction, operation, side, forced: forced.of(side, operation, direction) }),
      );
  return [
    ...without(removed, 'away', 'remove'),
    ...without(added, 'away', 'add'),
    ...without(added, 'toward', 'add'),
  ];
}

/** Runs what the journal lacks. Throws JudgeStopped where the judge's budget is spent. */
export async function testCausally(work: SteeringWork): Promise<CausalTest> {
  const { controls, candidates, others, options } = work;
  const forced = await forcedEffects(work, [...controls, ...candidates, ...others]);
  const chosen = throughGate(work, forced);
  const away = await openSide(work, 'away', forced);
  let toward: OpenSide | undefined;
  try {
    const own = await sampleSide(work, away, { hold: 'remove', held: chosen.removed, added: chosen.added });
    const together = groupsOf(work);
    const { greedy } = options;
    const built = greedy && (await away.greedy(candidates.slice(0, greedy.from), greedy.size));
    const groups = await away.hold(
      'remove',
      [...together, ...(built?.groups ?? [])],
      'First latents removed together',
    );
    const further = await furtherArms(work, away, { removed: chosen.removed, groups: together });
    await away.release();
    toward = await openSide(work, 'toward', forced);
    const patched = options.patch ? firstBy(work, own, 'remove') : [];
    const other = await sampleSide(work, toward, {
      hold: patched.length > 0 ? 'patch' : undefined,
      held: patched,
      added: chosen.added,
    });
    const all = [...own, ...groups, ...further, ...other];
    const first = new Map<Operation, readonly TestedDirection[]>([
      ['remove', firstBy(work, all, 'remove')],
      ['add', firstBy(work, all, 'add')],
      ['patch', patched],
      ...furtherOperations(work).map((operation) => [operation, firstBy(work, all, operation)] as const),
      ['system', [systemDirection]],
    ]);
    const measured = await withAside(away, await withAside(toward, all, first), first);
    return {
      outcomes: [...measured, ...leftOut(work, forced, chosen)],
      unsteered: { away: away.unsteered, toward: toward.unsteered },
      greedy: built?.steps,
      gate: options.full ? undefined : chosen.gate,
      forced: forced.all,
      trials: [...away.trials.values(), ...toward.trials.values()],
    };
  } finally {
    await Promise.all([away.release(), toward?.release()]);
  }
}
