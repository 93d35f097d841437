/** The names of the files in a study's folder. Nothing else spells one. */

export const resultFiles = {
  study: 'study.yaml',
  schema: 'study.schema.json',
  manifest: 'manifest.json',
  check: 'check.json',
  completions: 'completions.jsonl',
  grades: 'grades.jsonl',
  judge: 'judge.safetensors',
  judgeError: 'judge-error.json',
  pairs: 'pairs.jsonl',
  latents: 'latents.parquet',
  attribution: 'attribution.safetensors',
  fidelity: 'fidelity.json',
  steering: 'steering.parquet',
  steeringSummary: 'steering.json',
  steered: 'steered.jsonl',
  steeringSvg: 'steering.svg',
  steeringPng: 'steering.png',
  pairTokens: 'pair-tokens.jsonl',
  explanations: 'explanations.jsonl',
  controls: 'controls.json',
  fix: 'fix.json',
  fixed: 'fixed.jsonl',
  fixVectors: 'fix.safetensors',
  monitor: 'monitor.json',
  monitorVectors: 'monitor.safetensors',
  checkpoints: 'checkpoints.json',
  trace: 'trace.json',
  traceRows: 'trace.jsonl',
  report: 'report.html',
} as const;

/** What the causal test writes. */
export const steeringFiles = [
  resultFiles.steering,
  resultFiles.steeringSummary,
  resultFiles.steered,
  resultFiles.steeringSvg,
  resultFiles.steeringPng,
] as const;

const pages = 'latents';

/** The folder that the pages of latents stand in. */
export const pagesFolder = pages;

/** The page of one latent: `latents/NNN.json`. */
export const pageFile = (latent: number): string => `${pages}/${latent}.json`;

/** The latent whose page has this name; undefined for any other file. */
export function latentOfPage(path: string): number | undefined {
  const [, latent] = /^latents\/(\d+)\.json$/.exec(path) ?? [];
  return latent === undefined ? undefined : Number(latent);
}
