/**
 * The tests of a causal test's candidates, from what was sampled: docs/method.md section 5. Comparison
 * directions, random directions and groups are a family of their own.
 */
import {
  type EffectVerdict,
  effectVerdict,
  type Inference,
  inferEffects,
  type SideEffects,
  type TestedEffects,
} from '../../methods/steering/inference.ts';
import { type Exits, exitsByChance } from '../../methods/steering/predictionInterval.ts';
import { type Operation, type Role, type Side, signOf } from '../../results.ts';
import { type ArmOutcome, effectIn } from './armOutcome.ts';
import type { TestedDirection } from './direction.ts';

/** What the test of an operation says of one arm. */
export interface ArmInference {
  readonly t: number;
  readonly p: number;
  readonly q: number;
  readonly effectMinusRandom: number;
  /** of the whole test */
  readonly familyWise: number;
  readonly verdict: EffectVerdict;
}

const placesOf = {
  remove: ['away'],
  add: ['away', 'toward'],
  patch: ['toward'],
  subtract: ['away'],
  remove_all: ['away'],
  remove_prompt: ['away'],
  remove_completion: ['away'],
  system: ['away'],
} as const satisfies Record<Operation, readonly Side[]>;

const confirming = ['remove', 'add'] as const;

/** Each is a test of its own, beside those. */
const besides = ['subtract', 'remove_all', 'remove_prompt', 'remove_completion'] as const;

const otherRoles = ['comparison', 'control', 'gaussian', 'group'] as const;

type Arms = ReadonlyMap<string, ArmOutcome>;

const keyOf = (operation: Operation, side: Side, name: string) => [operation, side, name].join('/');

/** Effects of these directions on one side, and of the random latents. */
function sideEffects(
  arms: Arms,
  operation: Operation,
  side: Side,
  random: readonly TestedDirection[],
  tested: readonly TestedDirection[],
): SideEffects {
  const of = ({ name }: TestedDirection) => arms.get(keyOf(operation, side, name));
  const effects = (some: readonly TestedDirection[]) =>
    some.map((direction) => {
      const arm = of(direction);
      return arm === undefined ? Number.NaN : effectIn(arm);
    });
  return {
    sign: signOf[side],
    random: effects(random),
    candidates: effects(tested),
    prompts: tested.map((direction) => of(direction)?.measured?.prompts ?? []),
  };
}

const armsOf = (outcomes: readonly ArmOutcome[]): Arms =>
  new Map(outcomes.map((one) => [keyOf(one.operation, one.side, one.direction.name), one]));

function directionsOf(outcomes: readonly ArmOutcome[], ...roles: readonly Role[]): TestedDirection[] {
  const found = outcomes.filter(({ direction }) => roles.includes(direction.role));
  return [...new Map(found.map(({ direction }) => [direction.name, direction])).values()];
}

/** The effects of some directions under each operation, beside those of the random latents. */
function testsOf(
  outcomes: readonly ArmOutcome[],
  tested: readonly TestedDirection[],
  operations: readonly Operation[],
): Record<string, TestedEffects> {
  const arms = armsOf(outcomes);
  const random = directionsOf(outcomes, 'random');
  return Object.fromEntries(
    operations.map((operation): [string, TestedEffects] => [
      operation,
      { sides: placesOf[operation].map((side) => sideEffects(arms, operation, side, random, tested)) },
    ]),
  );
}

/** Every arm's inference by `operation/side/name`; none for random latents. */
export function armInferences(outcomes: readonly ArmOutcome[], seed: number): Map<string, ArmInference> {
  const found = new Map<string, ArmInference>();
  const put = (tested: readonly TestedDirection[], operations: readonly Operation[]) => {
    if (tested.length === 0) return;
    const inferred = inferEffects(testsOf(outcomes, tested, operations), { seed });
    for (const operation of operations)
      placesOf[operation].forEach((side, s) => {
        tested.forEach(({ name }, i) => {
          found.set(keyOf(operation, side, name), armInference(inferred[operation]![i]!, s));
        });
      });
  };
  const patched = outcomes.filter(
    ({ operation, direction }) => operation === 'patch' && direction.role === 'candidate',
  );
  put(directionsOf(outcomes, 'candidate'), confirming);
  const others = outcomes.filter(({ operation }) => operation !== 'system');
  put(directionsOf(others, ...otherRoles), confirming);
  for (const operation of besides) {
    const own = outcomes.filter((one) => one.operation === operation);
    if (own.length === 0) continue;
    put(directionsOf(outcomes, 'candidate'), [operation]);
    put(directionsOf(own, ...otherRoles), [operation]);
  }
  put(
    patched.map(({ direction }) => direction),
    ['patch'],
  );
  return found;
}

/** Candidates beyond the gray zone as a cause would be, and how many of all would be by chance. */
export function exitsOf(
  outcomes: readonly ArmOutcome[],
  seed: number,
): Readonly<Record<'remove' | Side | 'both', Exits>> {
  const tests = testsOf(outcomes, directionsOf(outcomes, 'candidate'), confirming);
  const [removed, added] = confirming.map((operation) => exitsByChance(tests[operation]!, { seed }));
  const [away, toward] = added!.sides as [Exits, Exits];
  return { remove: removed!.sides[0]!, away, toward, both: added!.all };
}

function armInference(one: Inference, side: number): ArmInference {
  const { t, p, q, effectMinusRandom } = one.sides[side]!;
  return { t, p, q, effectMinusRandom, familyWise: one.familyWise, verdict: effectVerdict(one) };
}

export const inferenceOf = (
  inferences: ReadonlyMap<string, ArmInference>,
  { operation, side, direction }: Pick<ArmOutcome, 'operation' | 'side' | 'direction'>,
): ArmInference | undefined => inferences.get(keyOf(operation, side, direction.name));
