/** One latent: all that the study knows of it, what weighs most first. */
import { type ComponentProps, useMemo, useRef } from 'react';
import {
  type AttributedOver,
  attributedOver,
  type FidelityRecord,
  type LatentPage,
  type LatentRow,
  pageFile,
  placeOfRow,
  resultFiles,
  type TraceRecord,
} from '../../../results.ts';
import { apart, distinctErrors } from '../../apart.ts';
import { queryOf, usualDose } from '../../doseQuery.ts';
import { count, fixed, lastPart, percent, plural } from '../../format.ts';
import { keptOrder } from '../../listedOrder.ts';
import { CopyLink } from '../../parts/copyLink.tsx';
import { DoseCurves } from '../../parts/doseCurve.tsx';
import { dosePoints } from '../../parts/doses.ts';
import { EffectStrip } from '../../parts/effectStrip.tsx';
import { Histogram } from '../../parts/histogram.tsx';
import { LensTable } from '../../parts/lens.tsx';
import { meaningOf } from '../../parts/meaning.ts';
import { Failed, Loading, Missing, Unread } from '../../parts/notes.tsx';
import { OnThisPage } from '../../parts/onThisPage.tsx';
import { Passages } from '../../parts/passages.tsx';
import { promptTexts } from '../../parts/promptTexts.ts';
import { Samples } from '../../parts/samples.tsx';
import { TrimmedNote } from '../../parts/trimmed.tsx';
import { inStudy, type Route } from '../../routes.ts';
import type { Source } from '../../source.ts';
import type { LatentTrials, LoadedStudy, SteeringRecords } from '../../study.ts';
import { type Loaded, useLoaded } from '../../useLoaded.ts';
import type { ViewProps, WebView } from '../../view.ts';
import { Beside, beside, besideIn } from './beside.tsx';
import { Explanation } from './explanation.tsx';
import { Headline } from './headline.tsx';
import { Kin } from './kin.tsx';
import { OwnText } from './ownText.tsx';
import { PairsOf } from './pairsOf.tsx';
import { TrainingData } from './trainingData.tsx';

interface Evidence {
  readonly errors: Readonly<Record<string, Error | undefined>>;
  readonly latents: readonly LatentRow[];
  /** how many the dictionary has; undefined where a report holds fewer */
  readonly of: number | undefined;
  /** what Δ is a mean over */
  readonly over: AttributedOver | undefined;
  readonly fidelity: FidelityRecord | undefined;
  readonly steering: SteeringRecords | undefined;
  readonly page: LatentPage | undefined;
  readonly trace: TraceRecord | undefined;
  readonly known: ReadonlySet<number>;
}

async function loadEvidence(study: LoadedStudy, latent: number): Promise<Evidence> {
  const { values, errors } = await apart({
    latents: study.latents(),
    steering: study.steering(),
    page: study.page(latent),
    pages: study.pageNumbers(),
    fidelity: study.fidelity(),
    manifest: study.manifest(),
    trace: study.trace(),
  });
  const { latents = [], steering, page, pages = [], fidelity, manifest, trace } = values;
  const isWhole = study.source.trimmed[resultFiles.latents] === undefined && latents.length > 0;
  return {
    errors,
    latents,
    of: isWhole ? latents.length : undefined,
    over: attributedOver(manifest),
    fidelity,
    steering,
    page,
    trace,
    known: new Set([...pages, ...(steering?.rows ?? []).flatMap(({ latent }) => latent ?? [])]),
  };
}

interface Trials extends LatentTrials {
  readonly prompts: ReadonlyMap<string, string>;
}

async function loadTrials(study: LoadedStudy, latent: number): Promise<Trials | undefined> {
  const [trials, { values }] = await Promise.all([
    study.trials(latent),
    apart({ steering: study.steering() }),
  ]);
  return trials && { ...trials, prompts: promptTexts(values.steering?.summary.prompts ?? []) };
}

function Steered({
  latent,
  steering,
}: {
  readonly latent: number;
  readonly steering: SteeringRecords | undefined;
}) {
  return (
    <section>
      <h2>Among random latents</h2>
      {steering ? (
        <EffectStrip rows={steering.rows} zone={steering.summary.zone} latent={latent} />
      ) : (
        <Missing command="culprit run STUDY">No latent of this study has been tested yet.</Missing>
      )}
    </section>
  );
}

function Doses({ loaded }: { readonly loaded: Loaded<Trials | undefined> }) {
  const points = useMemo(
    () => loaded.value && dosePoints(loaded.value.along, loaded.value.alone),
    [loaded.value],
  );
  if (!points || points.length === 0) return null;
  return (
    <section>
      <h2>Dose curves</h2>
      <DoseCurves points={points} />
    </section>
  );
}

function Activity({ page: { passages, corpora } }: { readonly page: LatentPage }) {
  const { tokens, active, active_passages, mean, max, histogram } = passages;
  return (
    <section>
      <h2>Where it is active</h2>
      <p>
        Active at {percent(active / Math.max(1, tokens), 2)} of {count(tokens)} tokens, in{' '}
        {count(active_passages)} of {count(passages.passages)} passages of {corpora.map(lastPart).join(', ')}
        {mean !== null &&
          `; its activation there is ${fixed(mean, 2)} on average and ${fixed(max, 2)} at most`}
        .
      </p>
      {active > 0 && <Histogram histogram={histogram} />}
      <Passages passages={passages} corpora={corpora} />
    </section>
  );
}

interface MeaningProps {
  readonly page: LatentPage;
  readonly latents: readonly LatentRow[];
  readonly unit: AttributedOver['unit'];
  readonly route: Route;
}

/** What it writes and what is near it, beside what it reads; then the texts that count most. */
function Meaning({ page, unit, latents, route }: MeaningProps) {
  return (
    <>
      <div className="meaning">
        <div>
          <section>
            <h2>Logit lens</h2>
            <LensTable lens={page.lens} />
          </section>
          <Relatives page={page} latents={latents} route={route} />
        </div>
        <Activity page={page} />
      </div>
      <section>
        <h2>Its strongest {unit}s</h2>
        <PairsOf page={page} unit={unit} route={route} />
      </section>
    </>
  );
}

type RelativesProps = Omit<MeaningProps, 'unit'>;

function Relatives({ page, latents, route }: RelativesProps) {
  const ranks = useMemo(() => new Map(latents.map((row) => [row.latent, row])), [latents]);
  return (
    <section>
      <h2>Neighbours and group</h2>
      <Kin page={page} ranks={ranks} route={route} />
    </section>
  );
}

function SteeredSamples({
  loaded,
  route,
}: Pick<OneLatentProps, 'route'> & { readonly loaded: OneLatentProps['trials'] }) {
  return (
    <section>
      <h2>Completions under it, beside the unsteered ones</h2>
      <Loading loaded={loaded}>
        {(trials) =>
          trials ? (
            <Samples {...trials} trials={trials.along} route={route} />
          ) : (
            <Missing command="culprit run STUDY">No completions were sampled under it yet.</Missing>
          )
        }
      </Loading>
    </section>
  );
}

interface OneLatentProps {
  readonly latent: number;
  readonly source: Source;
  readonly evidence: Evidence;
  readonly trials: Loaded<Trials | undefined>;
  readonly route: Route;
}

function OneLatent({ latent, evidence, trials, source, route }: OneLatentProps) {
  const { errors, latents, of, over, fidelity, steering, page, trace, known } = evidence;
  const unit = over?.unit ?? 'pair';
  const article = useRef<HTMLElement>(null);
  const row: ComponentProps<typeof Headline>['row'] | undefined =
    latents.find((one) => one.latent === latent) ?? page;
  if (!row && distinctErrors(errors).length > 0)
    return (
      <>
        <h1>Latent {latent}</h1>
        <Unread errors={errors} />
      </>
    );
  if (!row)
    return (
      <>
        <h1>Latent {latent}</h1>
        <UnknownLatent latent={latent} known={latents.length} />
      </>
    );
  const order = keptOrder(route.query);
  const listed = order && besideIn(order, latent);
  const rows = steering?.rows.filter((one) => one.latent === latent) ?? [];
  const removed = fidelity?.latents.find((one) => one.latent === latent);
  const away = rows.find((one) => placeOfRow(one) === 'away');
  // the playground's doses are along d, the test's along σ d
  const dose = away?.dose == null ? usualDose * (row.sign ?? 1) : away.dose * away.sign;
  return (
    <article className="latent" ref={article}>
      <div className="row spread">
        <h1>
          Latent {latent}
          {page && <span className="latent-name">{meaningOf(page)}</span>}
        </h1>
        <a href={inStudy(route, 'playground', undefined, queryOf([{ latent, dose }]))}>
          steer it in the playground
        </a>
        <CopyLink of={`latent ${latent}`} />
        <Beside
          {...(listed ?? beside(latents, known, latent))}
          order={listed ? 'as listed' : 'by rank'}
          route={route}
        />
      </div>
      <Headline
        row={row}
        of={of}
        over={over}
        latents={latents}
        removed={fidelity && removed && { ...removed, tried: plural(fidelity.pairs, unit) }}
        steered={steering && { rows, zone: steering.summary.zone }}
      />
      <OnThisPage of={article} changed={[page, trials.value]} />
      {page && <Explanation page={page} />}
      <Unread errors={errors} />
      {!errors.steering && <Steered latent={latent} steering={steering} />}
      <Doses loaded={trials} />
      {page && <Meaning page={page} unit={unit} latents={latents} route={route} />}
      {!page && !errors.page && <NoPage latent={latent} />}
      {trace && <TrainingData latent={latent} trace={trace} />}
      <OwnText latent={latent} source={source} />
      <SteeredSamples loaded={trials} route={route} />
    </article>
  );
}

const NoPage = ({ latent }: { readonly latent: number }) => (
  <Missing command="culprit interpret STUDY">
    Latent {latent} has no page, so its logit lens, passages and pairs are not known. Pages are made for the
    first latents by Δ and for the confirmed ones; --pages makes more.
  </Missing>
);

function UnknownLatent({ latent, known }: { readonly latent: number; readonly known: number }) {
  if (known === 0) return <Missing command="culprit run STUDY">The latents are not ranked yet.</Missing>;
  return (
    <Failed
      error={new Error(`Latent ${latent} is not among the ${count(known)} latents that are shown here`)}
    />
  );
}

function Latent({ study, route }: ViewProps) {
  const latent = /^\d+$/.test(route.argument ?? '') ? Number(route.argument) : undefined;
  if (latent === undefined)
    return (
      <>
        <h1>Latents</h1>
        <Failed
          error={
            new Error(`No latent is named "${route.argument ?? ''}": expected a number, as in #/latent/320`)
          }
        />
      </>
    );
  return <LoadedLatent study={study} latent={latent} route={route} />;
}

function LoadedLatent({
  study,
  latent,
  route,
}: Pick<ViewProps, 'study' | 'route'> & { readonly latent: number }) {
  const evidence = useLoaded(() => loadEvidence(study, latent), [study, latent]);
  const trials = useLoaded(() => loadTrials(study, latent), [study, latent]);
  return (
    <>
      <Loading loaded={evidence} title={`Latent ${latent}`}>
        {(value) => (
          <OneLatent latent={latent} evidence={value} trials={trials} source={study.source} route={route} />
        )}
      </Loading>
      <TrimmedNote source={study.source} paths={[pageFile(latent), resultFiles.steered]} />
    </>
  );
}

export const latentView: WebView = {
  name: 'latent',
  under: 'latents',
  title: ({ argument }) => `Latent ${argument ?? ''}`,
  ofDictionary: true,
  component: Latent,
};
