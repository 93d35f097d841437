/**
 * A trained classifier judge, and its file: two probes' weights, and in the metadata what they were trained
 * on and how they did on prompts held out.
 */

import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { isThere } from '../../files/ifThere.ts';
import { readSafetensorsHeader, readTensor } from '../../files/safetensors.ts';
import { checked } from '../../files/schema.ts';
import { readSealed, writeSealed } from '../../files/sealed.ts';
import type { Probe } from '../../methods/judging/probe.ts';
import { parseJsonIf } from '../../results.ts';
import { dataOf, tensor } from '../../tensor.ts';

/** JSON has no NaN: what is not defined is written as null. */
const real = z
  .number()
  .nullable()
  .transform((x) => x ?? Number.NaN);
const count = z.int().min(0);

const probeReport = z.object({
  examples: count,
  positives: count,
  accuracy: real,
  auc: real,
  within: z.object({ groups: count, accuracy: real }),
  loss: real,
  calibrationError: real,
  uncalibratedError: real,
  bins: z.array(z.object({ from: real, to: real, count, probability: real, share: real })).readonly(),
});

const kindReport = z.object({
  kind: z.string(),
  coherent: z.boolean(),
  trained: count,
  tested: count,
  /** share of those tested that are told from the other side; NaN for none */
  accuracy: real,
});

const fitSchema = z.object({ C: real, temperature: real });

const aboutSchema = z.object({
  /** hash of all that the training depends on */
  key: z.string(),
  site: count,
  prompts: z.object({ trained: count, heldOut: count }),
  /** how each probe was fitted: scikit-learn's C, and the temperature that its decisions were divided by */
  fit: z.object({ behaviour: fitSchema, coherence: fitSchema }),
  /** on the prompts held out */
  behaviour: probeReport,
  coherence: probeReport,
  kinds: z.array(kindReport).readonly(),
});
export type ClassifierReport = z.output<typeof aboutSchema>;

export interface ClassifierModel {
  /** of the mean residual [d] */
  readonly behaviour: Probe;
  /** of `coherenceFeatures` of a reading [d + 1] */
  readonly coherence: Probe;
  readonly report: ClassifierReport;
}

const vector = (data: Float64Array) => tensor('f64', [data.length], data);

export async function writeClassifier(
  path: string,
  { behaviour, coherence, report }: ClassifierModel,
): Promise<void> {
  const tensors = {
    'behaviour.weights': vector(behaviour.weights),
    'behaviour.bias': vector(Float64Array.of(behaviour.bias)),
    'coherence.weights': vector(coherence.weights),
    'coherence.bias': vector(Float64Array.of(coherence.bias)),
  };
  await writeSealed(path, tensors, { classifier: JSON.stringify(report) });
}

/**
 * The model in a file, where it was trained on what `key` stands for; undefined where there is no file or
 * another key's. Throws InputError for a damaged file, and one that was changed after it was written.
 */
export async function readClassifier(path: string, key: string): Promise<ClassifierModel | undefined> {
  if (!(await isThere(path))) return undefined;
  const { tensors, metadata } = await readSafetensorsHeader(path);
  // No JSON: then the file is none of ours, and is replaced.
  const about = parseJsonIf(metadata.classifier);
  if (!z.object({ key: z.literal(key) }).safeParse(about).success) return undefined;
  // An older version's has no hash beside it.
  if (Object.keys(metadata).length > 1 && (await readSealed(path)) === undefined)
    throw new InputError(
      `${path}: was changed after it was written: delete it, and the judge is trained again`,
    );
  const report = checked(aboutSchema, about, path);
  const read = async (name: string) => {
    const stored = tensors.get(name);
    if (stored === undefined) throw new InputError(`${path}: tensor ${name} is missing`);
    return dataOf(await readTensor(stored), 'f64');
  };
  const probe = async (name: 'behaviour' | 'coherence'): Promise<Probe> => ({
    weights: await read(`${name}.weights`),
    bias: (await read(`${name}.bias`))[0]!,
    ...report.fit[name],
  });
  return { behaviour: await probe('behaviour'), coherence: await probe('coherence'), report };
}
