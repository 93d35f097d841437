/**
 * Texts steered along a study's latents beside the same unsteered, token by token as they come, and texts that a
 * latent is shown on; one at a time, on models that stay open. Knows no HTTP.
 */
import type { SampledToken } from '../../methods/completions/sample.ts';
import type { OwnTextRead, ReadBody, SteerBody, SteerLine, SteerSide } from '../../results.ts';
import type { Machine } from '../open/machine.ts';
import { systemClock } from '../store/runRecord.ts';
import { readOwnText } from './ownText.ts';
import { type EngineModel, type SamplingEngine, samplingEngine } from './samplingEngine.ts';
import { type StudySide, studySteering } from './steerRequest.ts';
import { type SteerPlace, steerOn } from './steerRun.ts';
import { turns } from './turns.ts';

export interface Playground {
  /**
   * Tells of each token as it comes. Throws InputError for what does not fit the study, and the signal's
   * reason where that ends it.
   */
  steer(body: SteerBody, tell: (line: SteerLine) => void, signal: AbortSignal): Promise<void>;
  /** What a latent does on each token of a text. Throws as `steer` does. */
  read(body: ReadBody, signal: AbortSignal): Promise<OwnTextRead>;
  close(): Promise<void>;
}

const alternatives = 5;
/** More than these are refused while one runs. */
const longestQueue = 8;

const sideOf = ({ variant }: SteerPlace): SteerSide => (variant === null ? 'alone' : 'steered');

function tokenLine(place: SteerPlace, token: SampledToken, textOf: (id: number) => string): SteerLine {
  const { id, logProbability, top } = token;
  return {
    kind: 'token',
    side: sideOf(place),
    id,
    text: textOf(id),
    log_probability: logProbability,
    // float32 takes the least likely tokens for impossible
    top: top
      .filter((one) => Number.isFinite(one.logProbability))
      .map((one) => ({ id: one.id, text: textOf(one.id), log_probability: one.logProbability })),
  };
}

export function playground(folder: string, machine: Machine = {}): Playground {
  const queue = turns(longestQueue);
  const engines = new Map<StudySide, { readonly key: string; readonly engine: SamplingEngine }>();

  /** The model of a side, another where study.yaml names another by now. */
  async function engineFor(side: StudySide, of: EngineModel): Promise<SamplingEngine> {
    const key = JSON.stringify([of.model, of.adapter, of.now, of.engine]);
    const kept = engines.get(side);
    if (kept?.key === key) return kept.engine;
    engines.delete(side);
    await kept?.engine.close();
    const engine = samplingEngine(of);
    engines.set(side, { key, engine });
    return engine;
  }

  async function opened(side: StudySide) {
    const { base } = await studySteering(folder, side);
    const { model, adapter, now = day, engine: named } = base;
    return { base, engine: await engineFor(side, { model, adapter, now, engine: named, ...machine }) };
  }

  async function run(body: SteerBody, tell: (line: SteerLine) => void, signal: AbortSignal): Promise<void> {
    const { base, engine } = await opened(body.model);
    await steerOn(
      engine,
      {
        ...base,
        variants: [body.latents.map(({ latent, dose }) => ({ latent, kind: 'add' as const, dose }))],
        prompts: [body.prompt],
        textIsMessage: true,
        samples: 1,
        seed: body.seed,
        maxTokens: body.max_tokens,
        sampling: { ...base.sampling, temperature: body.temperature },
      },
      {
        alternatives,
        signal,
        onToken: (place, token, textOf) => tell(tokenLine(place, token, textOf)),
        onEnd: (place, { stop }) => tell({ kind: 'end', side: sideOf(place), stop }),
      },
    );
  }

  // for templates that print the date, of a study that has not begun: one day, or the model would be opened
  // anew at every call
  const day = systemClock();
  return {
    steer: (body, tell, signal) => queue.take(() => run(body, tell, signal), signal),
    async read(body, signal) {
      let found: OwnTextRead | undefined;
      await queue.take(async () => {
        const { base, engine } = await opened(body.model);
        found = await readOwnText(engine, base, body);
      }, signal);
      return found!;
    },
    async close() {
      queue.clear();
      for (const { engine } of engines.values()) await engine.close();
    },
  };
}
