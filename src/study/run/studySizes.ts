/** Sizes that a new study can have, and what each comes to. */
import type { StudyConfig } from '../config/schema.ts';
import { steeringSection } from '../config/sections/steering.ts';
import { causalTestSize } from '../steering/size.ts';

/** What a size sets; all else has its default. */
interface SizeFields {
  readonly prompts: Readonly<Record<'discovery' | 'evaluation' | 'calibration', number>>;
  readonly sampling: Readonly<Record<'completions', number>>;
  readonly steering: Readonly<Record<'candidates' | 'random' | 'completions', number>>;
}

/** `medium` is what study.yaml has where nothing is said. */
export const studySizes = {
  small: {
    prompts: { discovery: 24, evaluation: 18, calibration: 8 },
    sampling: { completions: 8 },
    steering: { candidates: 10, random: 12, completions: 2 },
  },
  medium: {
    prompts: { discovery: 60, evaluation: 60, calibration: 30 },
    sampling: { completions: 12 },
    steering: { candidates: 100, random: 50, completions: 3 },
  },
  large: {
    prompts: { discovery: 150, evaluation: 150, calibration: 45 },
    sampling: { completions: 12 },
    steering: { candidates: 100, random: 100, completions: 4 },
  },
} as const satisfies Readonly<Record<string, SizeFields>>;

export type StudySize = keyof typeof studySizes;
export const sizeNames = Object.keys(studySizes) as StudySize[];

export interface SizeCost {
  /** completions to find latents in, each sampled and graded once */
  readonly found: number;
  /** completions of the causal test, about; each is sampled, and graded unless it is as before */
  readonly tested: number;
}

/** Numbers given by themselves: discovery and evaluation prompts, completions of a discovery prompt. */
export interface SizeGiven {
  readonly discovery?: number | undefined;
  readonly evaluation?: number | undefined;
  readonly completions?: number | undefined;
}

/** What a study of a size takes, about; what is given by itself counts for more. */
export function sizeCost(size: StudySize, { discovery, evaluation, completions }: SizeGiven = {}): SizeCost {
  const steering = steeringSection.schema('.').parse({}) as StudyConfig['steering'];
  const { prompts, sampling, steering: set } = studySizes[size];
  const asked = { ...prompts, evaluation: evaluation ?? prompts.evaluation };
  return {
    found: (discovery ?? prompts.discovery) * (completions ?? sampling.completions),
    tested: causalTestSize({ ...steering, ...set }, asked).completions,
  };
}
