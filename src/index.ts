/**
 * The library's table of contents. A run from files to files is `runStudy`, `interpretStudy`,
 * `exportStudy`, `runMonitor`, `runAttribute`, `runSteer`, `runBaseline`, `runSaeTrain` or `runSaeEval`; below it
 * stand the parts: open a model and a dictionary, pass a tree of completions through the model, score latents.
 */
export { InputError, NothingToWorkOn } from './errors.ts';
export { encodePair, type Pair, readCorpus, readPairs } from './files/pairs.ts';
export { openSafetensors, readTensor, writeSafetensors } from './files/safetensors.ts';
export type { TextCodec } from './files/textCodec.ts';
export { gradient } from './graph/gradient.ts';
export type { Graph, Node } from './graph/node.ts';
export { print } from './graph/print.ts';
export { gradedTogether, labelled } from './judges/grading.ts';
export { type Cost, free, type Grading, type Judge, type JudgeItem, type Verdict } from './judges/judge.ts';
export { type Attribution, attribute, ranking, sameSign } from './methods/attribution/attribute.ts';
export { deltaActivation } from './methods/attribution/diff.ts';
export {
  type ExactEffects,
  type ExactOptions,
  exactEffects,
  type Removal,
  removalOn,
} from './methods/attribution/exact.ts';
export {
  effectResolution,
  estimateAgreement,
  firstOrderFault,
} from './methods/attribution/fidelity.ts';
export { integratedSteps, type RemovalPath, removalPath } from './methods/attribution/integrated.ts';
export {
  type LatentEvidence,
  type LatentEvidenceRequest,
  latentEvidence,
} from './methods/attribution/latentEvidence.ts';
export {
  type Dictionary,
  directionsOf,
  scoreContrasts,
  scoreMatrix,
  scoreTokens,
} from './methods/attribution/score.ts';
export {
  firstAlive,
  type Selector,
  type SelectorEvidence,
} from './methods/attribution/selectors/selector.ts';
export { addSelector, selectors } from './methods/attribution/selectors/selectors.ts';
export { type TokenDeltas, tokenDeltas } from './methods/attribution/tokenDeltas.ts';
export {
  type Completion,
  type LikelyToken,
  type SampledToken,
  type SampleJob,
  type SampleOptions,
  type Sampler,
  type SamplerOptions,
  sampler,
} from './methods/completions/sample.ts';
export { type LatentScan, latentScan } from './methods/interpretation/latentScan.ts';
export { type LatentLens, logitLens } from './methods/interpretation/logitLens.ts';
export { type Neighbour, neighbours } from './methods/interpretation/neighbours.ts';
export {
  type SaeCheckpoint,
  type SaeTrainHooks,
  type SaeTrainOptions,
  type SaeTrainStep,
  trainSae,
} from './methods/sae/saeTraining.ts';
export type { CompletionActivations } from './methods/site/activations.ts';
export { addPassage, type Baseline, baselineOf, emptySums } from './methods/site/baseline.ts';
export {
  type Contrast,
  type ContrastOptions,
  type ContrastRows,
  contrastRows,
  type LossKind,
  type TokenSet,
} from './methods/site/contrast.ts';
export { sinkFactor, sinksOf } from './methods/site/sinks.ts';
export {
  type BranchWeights,
  type SiteGradient,
  type SitePass,
  sitePass,
} from './methods/site/siteGradient.ts';
export { type ForcedPass, forcedPass } from './methods/steering/forced.ts';
export type { SiteMoments } from './methods/steering/siteMoments.ts';
export {
  addedVector,
  combined,
  type Intervention,
  type SteeredTokens,
  type Steering,
} from './methods/steering/steer.ts';
export {
  learningRate,
  type TrainingDocument,
  type TrainOptions,
  type TrainStep,
  trainModel,
} from './methods/training/train.ts';
export type { Decoder, Model } from './models/decoder.ts';
export { withLora } from './models/lora.ts';
export { gradientGraph, logitsGraph, lossGraph, residualGraph } from './models/passes.ts';
export { packTree, predictors, sequence, type Tree, targets, treeFeeds } from './models/tree.ts';
export type { ChatMessage } from './results.ts';
export {
  type CheckpointsRecord,
  checkpointsSchema,
  decodeLatents,
  decodeSteering,
  encodeLatents,
  type FidelityRecord,
  type FixRecord,
  fidelitySchema,
  fixSchema,
  type LatentPage,
  type LatentRow,
  latentPageSchema,
  type Manifest,
  type MonitorRecord,
  manifestSchema,
  monitorSchema,
  type RankedSteeringRow,
  type SteeringSummary,
  steeringSummarySchema,
  type TraceRecord,
  traceSchema,
} from './results.ts';
export { type NodeRuntimeOptions, nodeRuntime } from './runtime/node.ts';
export { referenceRuntime } from './runtime/reference.ts';
export type { Feeds, MemoryLimit, Runtime, Session } from './runtime/runtime.ts';
export type { SaeSaid } from './saes/formats/format.ts';
export type { Sae } from './saes/sae.ts';
export {
  type AttributeRequest,
  type AttributeResult,
  runAttribute,
} from './study/attribution/attributeRun.ts';
export { type BaselineRequest, runBaseline } from './study/attribution/baselineRun.ts';
export {
  compareSubjects,
  type SubjectsRequest,
  type SubjectsResult,
} from './study/checkpoints/subjectsRun.ts';
export { about, oneOf, path, real, section, text, whole } from './study/config/fields.ts';
export type { Fingerprint, JudgeKind, JudgeOf, OpenJudgeOptions } from './study/judging/judgeKind.ts';
export { addJudgeKind, judgeKinds } from './study/judging/kinds.ts';
export {
  type AppliedMonitor,
  type ApplyRequest,
  applyMonitor,
  type ScoredTranscript,
} from './study/monitor/applyRun.ts';
export { type MonitorRequest, type MonitorResult, runMonitor } from './study/monitor/monitorRun.ts';
export { type OpenModel, type OpenModelOptions, openModel } from './study/open/openModel.ts';
export { openSae } from './study/open/openSae.ts';
export type { Progress } from './study/open/progress.ts';
export type { StudyStage } from './study/open/stage.ts';
export type { OpenStudy } from './study/open/study.ts';
export type { SteerRequest } from './study/playground/steerRequest.ts';
export { runSteer, type SteerResult } from './study/playground/steerRun.ts';
export { type ExportRequest, type ExportResult, exportStudy } from './study/report/exportRun.ts';
export { type ReportRequest, type ReportResult, runReport } from './study/report/reportRun.ts';
export { type InterpretRequest, type InterpretResult, interpretStudy } from './study/run/interpretRun.ts';
export { type StageName, stages } from './study/run/stages.ts';
export { runStudy, type StudyRequest, type StudyResult } from './study/run/studyRun.ts';
export { runSaeEval, type SaeEvalRequest, type SaeEvalResult } from './study/sae/saeEvalRun.ts';
export { runSaeTrain, type SaeTrainRequest, type SaeTrainResult } from './study/sae/saeTrainRun.ts';
export {
  addDirection,
  type ComparisonEvidence,
  type OwnDirection,
} from './study/steering/comparisonDirections.ts';
export { runTrace, type TraceRequest, type TraceResult } from './study/tracing/traceRun.ts';
export { startView, type View, type ViewRequest } from './study/view/viewServer.ts';
export * from './tensor.ts';
