/** Every fuzzed format. */
import type { Format } from './format.ts';
import { bodies } from './formats/bodies.ts';
import { gguf } from './formats/gguf.ts';
import { jinja } from './formats/jinja.ts';
import { model } from './formats/model.ts';
import { parquet } from './formats/parquet.ts';
import { records } from './formats/records.ts';
import { replies } from './formats/replies.ts';
import { rows } from './formats/rows.ts';
import { sae } from './formats/sae.ts';
import { safetensors } from './formats/safetensors.ts';
import { study } from './formats/study.ts';
import { tensorFiles } from './formats/tensorFiles.ts';
import { tokenizer } from './formats/tokenizer.ts';
import { vectors } from './formats/vectors.ts';
import { working } from './formats/working.ts';

export const formats: readonly Format[] = [
  safetensors,
  gguf,
  tokenizer,
  jinja,
  model,
  sae,
  tensorFiles,
  rows,
  parquet,
  records,
  vectors,
  study,
  working,
  replies,
  bodies,
];

export function formatNamed(name: string): Format {
  const found = formats.find((format) => format.name === name);
  if (found) return found;
  throw new Error(`--format ${name}: expected one of ${formats.map((format) => format.name).join(', ')}`);
}
