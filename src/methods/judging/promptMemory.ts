/** Prompts that a model has read, kept as what their completions are read behind. Knows no completion. */
import type { Model } from '../../models/decoder.ts';
import { assertFinite } from '../../models/finite.ts';
import {
  type KeptRows,
  notAlone,
  promptsGraph,
  starts,
  type Text,
  textFeeds,
} from '../../models/sideBySide.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { i64, toFloat32 } from '../../tensor.ts';
import { runsOf } from './textRuns.ts';

/** A prompt of P tokens as its completions see it. */
export interface ReadPrompt {
  readonly tokens: number;
  /** keys and values of the blocks in the order of `caches` [P, heads·h] */
  readonly kept: readonly Float32Array[];
  /** of what comes next [V] */
  readonly logits: Float32Array;
  readonly logSumExp: number;
}

export interface PromptMemory {
  readonly caches: readonly KeptRows[];
  /** Each prompt as it was read, now or before. Throws RangeError for one without tokens. */
  read(prompts: readonly (readonly number[])[]): Promise<ReadPrompt[]>;
  release(): Promise<void>;
}

const bytesOf = ({ kept, logits }: ReadPrompt): number =>
  kept.reduce((sum, { byteLength }) => sum + byteLength, logits.byteLength);

/**
 * `bytes`: of the prompts that are kept. Once they are used up no further prompt is kept: whoever reads the same
 * prompts in turn then finds some of them, where the latest ones would never be those wanted next.
 */
export async function promptMemory(runtime: Runtime, model: Model, bytes: number): Promise<PromptMemory> {
  const { graph, caches } = promptsGraph(model);
  const session = await runtime.load(graph, model.weights);
  const kept = new Map<string, ReadPrompt>();
  let left = bytes;

  async function readRun(given: readonly Text[]): Promise<ReadPrompt[]> {
    const prompts = notAlone(given);
    const from = starts(prompts);
    const ends = prompts.map(({ ids }, i) => from[i]! + ids.length - 1);
    // a product of one row rounds differently
    const rows = ends.length === 1 ? [ends[0]!, ends[0]!] : ends;
    const found = await session.run({ ...textFeeds(prompts), rows: i64([rows.length], rows) });
    const [logits, sums] = [toFloat32(found.logits!), toFloat32(found.logSumExp!)];
    assertFinite(sums, 'the model gives log-probabilities');
    const vocabulary = logits.length / rows.length;
    return given.map(({ ids }, i) => ({
      tokens: ids.length,
      kept: caches.map(({ output, width }) =>
        toFloat32(found[output]!).slice(from[i]! * width, (from[i]! + ids.length) * width),
      ),
      logits: logits.slice(i * vocabulary, (i + 1) * vocabulary),
      logSumExp: sums[i]!,
    }));
  }

  function keep(key: string, prompt: ReadPrompt): void {
    const size = bytesOf(prompt);
    if (size > left) return;
    left -= size;
    kept.set(key, prompt);
  }

  return {
    caches,
    async read(prompts) {
      const keys = prompts.map((ids) => ids.join());
      const found = new Map<string, ReadPrompt>();
      const missing = new Map<string, Text>();
      for (const [i, key] of keys.entries()) {
        const known = kept.get(key);
        if (known) found.set(key, known);
        else missing.set(key, { ids: prompts[i]!, behind: 0 });
      }
      for (const run of runsOf([...missing], ([, text]) => text)) {
        const read = await readRun(run.map(([, text]) => text));
        for (const [i, [key]] of run.entries()) {
          found.set(key, read[i]!);
          keep(key, read[i]!);
        }
      }
      return keys.map((key) => found.get(key)!);
    },
    async release() {
      kept.clear();
      await session.release();
    },
  };
}
