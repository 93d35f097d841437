/** The files of a monitor: what it is and reaches, and its vectors. */
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../errors.ts';
import { replaceFile } from '../../files/atomic.ts';
import { isFolderThere } from '../../files/ifThere.ts';
import { readJson } from '../../files/jsonFile.ts';
import { openSafetensors, readTensor, writeSafetensors } from '../../files/safetensors.ts';
import { checked } from '../../files/schema.ts';
import type { Linear } from '../../methods/judging/logistic.ts';
import type { FittedDetector } from '../../methods/monitoring/fitted.ts';
import { type MonitorRecord, monitorSchema, resultFiles } from '../../results.ts';
import { tensor, toFloat32 } from '../../tensor.ts';

/**
 * monitor.safetensors, of K detectors in the order of monitor.json: `weights` [K, d] and `bias` [K], score = mean_t (w ·
 * a_t) + b; `threshold` [K]; `calibration` [K, 2], slope and intercept; `baseline` [d], ā. Then monitor.json, which
 * says that both are there.
 */
export async function writeMonitor(
  folder: string,
  record: MonitorRecord,
  detectors: readonly FittedDetector[],
  baseline: Float32Array,
): Promise<void> {
  const [K, d] = [detectors.length, baseline.length];
  const column = (of: (one: FittedDetector) => number) =>
    tensor('f64', [K], Float64Array.from(detectors, of));
  const weights = new Float32Array(K * d);
  for (const [k, one] of detectors.entries()) weights.set(one.weights, k * d);
  await writeSafetensors(
    join(folder, resultFiles.monitorVectors),
    {
      weights: tensor('f32', [K, d], weights),
      bias: column(({ bias }) => bias),
      threshold: column(({ threshold }) => threshold),
      calibration: tensor(
        'f64',
        [K, 2],
        Float64Array.from(detectors.flatMap(({ slope, intercept }) => [slope, intercept])),
      ),
      baseline: tensor('f32', [d], baseline),
    },
    {
      format: 'culprit-monitor-1',
      behaviour: record.behaviour,
      site: record.site,
      tokens: record.tokens,
      detectors: JSON.stringify(detectors.map(({ name }) => name)),
      inputs: JSON.stringify(record.inputs),
      versions: JSON.stringify(record.versions),
    },
  );
  await replaceFile(join(folder, resultFiles.monitor), (file) =>
    file.writeFile(`${JSON.stringify(record, undefined, 2)}\n`),
  );
}

export interface KeptMonitor {
  readonly record: MonitorRecord;
  /** in the order of the record's detectors */
  readonly linears: readonly Linear[];
}

/**
 * A monitor from its monitor.json, or the folder of it; the vectors lie beside. Throws InputError where either is
 * missing or damaged, or they are not of one another.
 */
export async function readMonitor(given: string): Promise<KeptMonitor> {
  const path = (await isFolderThere(given)) ? join(given, resultFiles.monitor) : given;
  const record = checked(monitorSchema, await readJson(path), path);
  const vectors = join(dirname(path), basename(path).replace(/(\.json)?$/, '.safetensors'));
  const tensors = await openSafetensors(vectors);
  const { width: d, detectors } = record;
  const read = async (name: string, shape: readonly number[]) => {
    const found = tensors.get(name);
    if (found === undefined || `${found.shape}` !== `${shape}`)
      throw new InputError(
        `${vectors}: expected a tensor ${name} of shape [${shape.join(', ')}], as ${path} has it, found ${found ? `[${found.shape.join(', ')}]` : 'none'}`,
      );
    return readTensor(found);
  };
  const weights = toFloat32(await read('weights', [detectors.length, d]));
  const biases = await read('bias', [detectors.length]);
  const linears = detectors.map((_, k) => ({
    weights: Float64Array.from(weights.subarray(k * d, (k + 1) * d)),
    bias: Number(biases.data[k]!),
  }));
  for (const [k, { weights: own, bias }] of linears.entries())
    if (!Number.isFinite(bias) || !own.every(Number.isFinite))
      throw new InputError(`${vectors}: ${detectors[k]!.name}: expected finite numbers, found others`);
  return { record, linears };
}
