/**
 * The stages of a study in their order, one line each; everything that runs, reports or reads a study
 * follows from this list.
 */
import { attributeStage } from '../attribution/4-attribute.ts';
import { fidelityStage } from '../attribution/4b-fidelity.ts';
import { checkStage } from '../checking/0-check.ts';
import { sampleStage } from '../completions/1-sample.ts';
import { pairStage } from '../completions/3-pair.ts';
import type { Section } from '../config/section.ts';
import { fixStage } from '../fix/5b-fix.ts';
import { interpretStage } from '../interpretation/6-interpret.ts';
import { gradeStage } from '../judging/2-grade.ts';
import type { StudyStage } from '../open/stage.ts';
import { steerStage } from '../steering/5-steer.ts';

export const stages = [
  checkStage,
  sampleStage,
  gradeStage,
  pairStage,
  attributeStage,
  fidelityStage,
  steerStage,
  fixStage,
  interpretStage,
] as const;

type BuiltIn = (typeof stages)[number];
export type StageName = BuiltIn['name'];

type ResultOf<S> = S extends StudyStage<infer R> ? R : never;

/** What each stage came to, by its name. */
export type StageResults = {
  readonly [S in BuiltIn as S['name']]?: ResultOf<S>;
};

/** The sections of study.yaml that stages read, in their order. */
export const sectionsOf = (list: readonly StudyStage[]): Section[] =>
  list.flatMap(({ section }) => section ?? []);
