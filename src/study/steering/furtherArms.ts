/**
 * What a study asks for beside removal and steering: removal at further token sets, removal by the encoder, and a
 * system message. All of it on the subject; random latents go first, as everywhere. docs/method.md section 5.
 */
import { type FurtherPlace, furtherWords, type Operation, removalAt } from '../../results.ts';
import type { ArmOutcome } from './armOutcome.ts';
import type { TestedDirection } from './direction.ts';
import { checkRandomEffects } from './randomZone.ts';
import type { OpenSide } from './side.ts';
import type { SteeringWork } from './work.ts';

/** A removal beside the one that decides. */
interface FurtherRemoval {
  readonly operation: Exclude<FurtherPlace, 'system'>;
  /** whether it needs a latent */
  readonly ofLatents: boolean;
}

function furtherRemovals({ encoder, options }: Pick<SteeringWork, 'encoder' | 'options'>): FurtherRemoval[] {
  const at = (options.furtherHeld ?? []).map(
    (tokens): FurtherRemoval => ({ operation: removalAt(tokens), ofLatents: false }),
  );
  return encoder === undefined ? at : [...at, { operation: 'subtract', ofLatents: true }];
}

/** The operations that `furtherArms` samples along directions. */
export const furtherOperations = (work: Pick<SteeringWork, 'encoder' | 'options'>): Operation[] =>
  furtherRemovals(work).map(({ operation }) => operation);

/** In the place of a direction where a system message does it. */
export const systemDirection: TestedDirection = {
  name: 'system message',
  role: 'comparison',
  latent: null,
  sign: 1,
  vectors: async () => [],
};

/** The same directions as removal has: candidates that passed its gate, random latents, groups and the others. */
export async function furtherArms(
  work: SteeringWork,
  away: OpenSide,
  {
    removed,
    groups,
  }: { readonly removed: readonly TestedDirection[]; readonly groups: readonly TestedDirection[] },
): Promise<ArmOutcome[]> {
  const { controls, others, options, system } = work;
  const out: ArmOutcome[] = [];
  for (const { operation, ofLatents } of furtherRemovals(work)) {
    const words = `removed ${furtherWords[operation]}`;
    const random = await away.hold(operation, controls, `Random latents ${words}`);
    checkRandomEffects(random, away.unsteered.limit, options);
    out.push(...random, ...(await away.hold(operation, removed, `Candidates ${words}`)));
    if (!ofLatents)
      out.push(...(await away.hold(operation, [...others, ...groups], `Other directions ${words}`)));
  }
  if (system !== undefined)
    out.push(...(await away.hold('system', [systemDirection], 'With a system message')));
  return out;
}
