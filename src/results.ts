/**
 * The result files of a run: their types, and bytes to values and back. Knows neither disk nor models, so
 * that a browser can read them with the same code.
 */
export * from './results/attributedOver.ts';
export * from './results/boundedJson.ts';
export * from './results/check.ts';
export * from './results/checkpoints.ts';
export * from './results/checkpointsFinding.ts';
export * from './results/completions.ts';
export * from './results/contrasts.ts';
export * from './results/controls.ts';
export * from './results/explanation.ts';
export * from './results/fidelity.ts';
export * from './results/files.ts';
export * from './results/finding.ts';
export * from './results/fix.ts';
export * from './results/fixFinding.ts';
export * from './results/judgeError.ts';
export * from './results/judgeQuality.ts';
export * from './results/latentPage.ts';
export * from './results/latents.ts';
export * from './results/manifest.ts';
export * from './results/message.ts';
export * from './results/monitor.ts';
export * from './results/monitorFinding.ts';
export * from './results/numbers.ts';
export * from './results/pairTokens.ts';
export * from './results/protocol.ts';
export * from './results/report.ts';
export * from './results/secondJudge.ts';
export * from './results/steered.ts';
export * from './results/steering.ts';
export * from './results/trace.ts';
export * from './results/traceFinding.ts';
export * from './results/verdict.ts';
export * from './results/warnings.ts';
