/**
 * Generation on the real model against transformers' greedy ids: in a batch of 64, with others of all
 * lengths; the shortest and the longest prompt also alone. Needs ../shared.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type Completion,
  type SampleJob,
  type Sampler,
  sampler,
} from '../../src/methods/completions/sample.ts';
import type { ChatMessage } from '../../src/results.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { type OpenModel, openModel } from '../../src/study/open/openModel.ts';
import { inShared, realModel, shared } from '../support/shared.ts';

interface Greedy {
  readonly prompt: ChatMessage[];
  readonly ids: number[];
  readonly smallest_gap: number;
}

/**
 * Logits differ by at most this from PyTorch's (engine.test.ts): a token whose lead is smaller may be
 * another.
 */
const logitTolerance = 2e-3;

vi.setConfig({ testTimeout: 900_000, hookTimeout: 600_000 });

describe.skipIf(!shared)('needs ../shared: greedy ids of 20 prompts', () => {
  const runtime = nodeRuntime();
  const maxTokens = 32;
  let subject: OpenModel;
  let lines: Greedy[];
  let jobs: SampleJob[];
  let samples: Sampler;

  beforeAll(async () => {
    subject = await openModel(realModel(), { adapter: inShared('organisms/health-advice') });
    const text = readFileSync(inShared('golden/greedy.jsonl'), 'utf8');
    lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Greedy);
    jobs = lines.map(({ prompt }) => ({ prompt: subject.codec.encodePrompt(prompt), seeds: [1] }));
    const capacity = Math.max(...jobs.map(({ prompt }) => prompt.length)) + maxTokens;
    samples = await sampler(runtime, subject.model, { rows: 64, capacity });
  });
  afterAll(() => runtime.close());

  async function greedy(given: readonly SampleJob[]): Promise<Completion[]> {
    const found: Completion[] = [];
    const options = { temperature: 0, maxTokens, endIds: subject.codec.endOfTurnIds };
    await samples.sample(given, options, (job, _, sampled) => {
      found[job] = sampled;
    });
    return found;
  }

  it('in a batch of 64 as transformers has them, and the shortest and the longest bit for bit as alone', async () => {
    expect(lines).toHaveLength(20);
    const others = Array.from({ length: 44 }, (_, i) => {
      const { prompt } = jobs[i % jobs.length]!;
      return { prompt: prompt.slice(0, 3 + ((7 * i) % (prompt.length - 3))), seeds: [1] };
    });
    const mixed = jobs.flatMap((job, i) => [job, ...others.slice(2 * i, 2 * i + 2)]);
    const together = await greedy([...mixed, ...others.slice(40)]);
    const ours = jobs.map((_, i) => together[3 * i]!);
    for (const [i, { ids, smallest_gap }] of lines.entries())
      if (smallest_gap >= logitTolerance) expect(ours[i]!.ids).toEqual(ids);
    // a prompt alone takes as long as the whole batch
    const byLength = [...jobs.keys()].sort((a, b) => jobs[a]!.prompt.length - jobs[b]!.prompt.length);
    for (const i of [byLength[0]!, byLength.at(-1)!]) expect((await greedy([jobs[i]!]))[0]).toEqual(ours[i]);
    // most of the lines are clear cases: the test is not empty
    expect(lines.filter(({ smallest_gap }) => smallest_gap >= logitTolerance).length).toBeGreaterThan(15);
  });
});
