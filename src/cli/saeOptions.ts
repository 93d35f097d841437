/** Options that say of a dictionary what its files leave open. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { saeKindNames } from '../study/config/schema.ts';
import type { SaeChoice } from '../study/open/openSae.ts';
import { wholeNumber } from './options.ts';

export interface SaeFlags {
  readonly saeKind?: string;
  readonly saeK?: number;
  readonly saeThreshold?: number;
  readonly saeBias?: 'subtracted' | 'kept';
}

/** --sae. */
export const saeForm = 'the sparse autoencoder (SAE): a folder or file as it was published';

function threshold(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('Expected a number of at least 0.');
  return value;
}

/** --sae-kind, --sae-k, --sae-threshold and --sae-bias. */
export function withSaeSaid(command: Command): Command {
  return command
    .addOption(
      new Option('--sae-kind <kind>', 'what its encoder is, where its files do not say it').choices(
        saeKindNames,
      ),
    )
    .option('--sae-k <count>', 'k of a top-k SAE whose files do not say it', wholeNumber(1))
    .addOption(
      new Option('--sae-threshold <number>', 'threshold of a jumprelu SAE whose file has none').argParser(
        threshold,
      ),
    )
    .addOption(
      new Option(
        '--sae-bias <use>',
        'whether b_dec is subtracted from the input, where nothing says it (default: subtracted, unless jumprelu)',
      ).choices(['subtracted', 'kept']),
    );
}

/** What the flags say, as study.yaml would. */
export const saeSaidBy = ({ saeKind, saeK, saeThreshold, saeBias }: SaeFlags): Omit<SaeChoice, 'path'> => ({
  kind: saeKind,
  k: saeK,
  threshold: saeThreshold,
  subtract_bias: saeBias === undefined ? undefined : saeBias === 'subtracted',
});
