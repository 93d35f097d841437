/** What a kind of engine is: its fields of study.yaml, what its completions depend on, and how it is opened. */
import type { z } from 'zod';
import type { Engine } from '../../methods/completions/engine.ts';
import type { EngineRecord } from '../../results.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { EngineConfig } from '../config/sections/sampling.ts';
import type { OpenModel } from '../open/openModel.ts';

/** Which of a study's models. */
export type EngineSide = 'subject' | 'reference';

/** What an engine is opened for. */
export interface EngineRequest {
  readonly side: EngineSide;
  /** The model as local files have it, opened when it is first asked for. */
  own(): Promise<OpenModel>;
  /** Models that a server may hold in its place by mistake, in words that follow "as". */
  readonly others: readonly { readonly name: string; readonly open: () => Promise<OpenModel> }[];
  runtime(): Runtime;
  /** where keys are found */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** told lines about what the engine is */
  readonly note: (line: string) => void;
}

export interface OpenEngine extends Engine {
  /** What is known by now; undefined for this machine, of which the manifest tells anyhow. */
  facts(): Readonly<EngineRecord> | undefined;
}

type KindSchema<C> = z.ZodType<C> & z.core.$ZodTypeDiscriminable;

export interface EngineKind<C extends EngineConfig = EngineConfig> {
  /** its name in study.yaml, where `sampling.engine.kind` has it */
  readonly kind: string;
  /** what it is, in a phrase for help */
  readonly about: string;
  /** Its fields of study.yaml. */
  schema(): KindSchema<C>;
  /**
   * What completions depend on beside the model's files, so that those of another engine are not taken for its own;
   * undefined for this machine.
   */
  identity(config: C, side: EngineSide): Readonly<Record<string, string>> | undefined;
  /** Throws InputError for what is missing on this side, such as a key. */
  open(config: C, request: EngineRequest): OpenEngine;
}
