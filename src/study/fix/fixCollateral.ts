/** What a fix does to ordinary texts, beside what other arms do: docs/method.md section 5. */
import { collateralPass } from '../../methods/steering/collateral.ts';
import { steeredAt } from '../../methods/steering/heldResidual.ts';
import type { Steering } from '../../methods/steering/steer.ts';
import type { FixRecord } from '../../results.ts';
import { corpusTokens } from '../attribution/baselineRun.ts';
import type { FixConfig } from '../config/sections/fix.ts';
import type { OpenStudy } from '../open/study.ts';

/** Tokens of one passage of the texts: the logits of all of them are held at once. */
const passageTokens = 128;

/** An arm by name, with what it does to the residuals. */
export interface CollateralArm {
  readonly name: string;
  readonly steering: Steering;
}

/**
 * Every projection is held at all tokens of the texts but attention sinks, whatever tokens it is held at in the study:
 * a text has no prompt. Null where study.yaml names no texts. Throws InputError where they have no tokens.
 */
export async function fixCollateral(
  study: OpenStudy,
  layer: number,
  { text, text_tokens }: Pick<FixConfig, 'text' | 'text_tokens'>,
  arms: readonly CollateralArm[],
): Promise<FixRecord['collateral']> {
  if (text === undefined) return null;
  const subject = await study.model(study.config.subject);
  const passages = (await corpusTokens(text, subject, { maxTokens: text_tokens, passageTokens })).filter(
    ({ length }) => length > 1,
  );
  const pass = await collateralPass(study.runtime(), subject.model, layer, arms.length);
  const stage = study.progress.stage('Ordinary texts', passages.length, 0);
  try {
    for (const ids of passages) {
      await pass.add(
        ids,
        arms.map(
          ({ steering }) =>
            (places) =>
              steeredAt(steering, places),
        ),
      );
      stage.advance();
    }
    const found = pass.found();
    return {
      tokens: found[0]!.tokens,
      loss: found[0]!.lossBefore,
      arms: found.map(({ loss, agreement, divergence }, n) => ({
        name: arms[n]!.name,
        loss,
        agreement: agreement ?? null,
        divergence: divergence ?? null,
      })),
    };
  } finally {
    stage.end();
    await pass.release();
  }
}
