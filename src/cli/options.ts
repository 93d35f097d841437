/** Options that commands share, and the readers of their values. */
import { type Command, InvalidArgumentError, Option } from 'commander';

/** A whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`);
    return value;
  };
}

/** --model and --adapter. */
export function withModelOptions(command: Command): Command {
  return command
    .requiredOption(
      '--model <path>',
      'the subject model: a Hugging Face folder, a folder with one .gguf, or a .gguf file',
    )
    .option('--adapter <folder>', 'a PEFT LoRA adapter on it')
    .addOption(new Option('--cache <folder>', 'where dequantised weights are kept').env('CULPRIT_CACHE'));
}
