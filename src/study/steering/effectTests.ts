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
} as const satisfies Record<Operation, readonly Side[]>;

const confirming = ['remove', 'add'] as const;

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

/** Every arm's inference by `operation/side/name`; none for random latents. */
export function armInferences(outcomes: readonly ArmOutcome[], seed: number): Map<string, ArmInference> {
  const arms = new Map(outcomes.map((one) => [keyOf(one.operation, one.side, one.direction.name), one]));
  const directions = (...roles: readonly Role[]) => [
    ...new Map(
      outcomes
        .filter(({ direction }) => roles.includes(direction.role))
        .map(({ direction }) => [direction.name, direction]),
    ).values(),
  ];
  const random = directions('random');
  const found = new Map<string, ArmInference>();
  const put = (tested: readonly TestedDirection[], operations: readonly Operation[]) => {
    if (tested.length === 0) return;
    const tests = Object.fromEntries(
      operations.map((operation): [string, TestedEffects] => [
        operation,
        { sides: placesOf[operation].map((side) => sideEffects(arms, operation, side, random, tested)) },
      ]),
    );
    const inferred = inferEffects(tests, { seed });
    for (const operation of operations)
      placesOf[operation].forEach((side, s) => {
        tested.forEach(({ name }, i) => {
          found.set(keyOf(operation, side, name), armInference(inferred[operation]![i]!, s));
        });
      });
  };
  put(directions('candidate'), confirming);
  put(directions('comparison', 'gaussian', 'group'), confirming);
  const patched = directions('candidate').filter(({ name }) => arms.has(keyOf('patch', 'toward', name)));
  put(patched, ['patch']);
  return found;
}

function armInference(one: Inference, side: number): ArmInference {
  const { t, p, q, effectMinusRandom } = one.sides[side]!;
  return { t, p, q, effectMinusRandom, familyWise: one.familyWise, verdict: effectVerdict(one) };
}

export const inferenceOf = (
  inferences: ReadonlyMap<string, ArmInference>,
  { operation, side, direction }: Pick<ArmOutcome, 'operation' | 'side' | 'direction'>,
): ArmInference | undefined => inferences.get(keyOf(operation, side, direction.name));
