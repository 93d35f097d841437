/** The app's frame: which study, which view of it, how far it is. */
import { useEffect, useRef, useState } from 'react';
import type { StudyProgress } from '../results.ts';
import { focusFollowed, keepFollowed, useKeptScroll } from './historyEntry.ts';
import { StaleNote } from './parts/notes.tsx';
import { ProgressBar } from './parts/progress.tsx';
import { ThemeSwitch } from './parts/themeSwitch.tsx';
import { VerdictWordsOf } from './parts/verdictWords.ts';
import { hashOf, home, inStudy, type Route } from './routes.ts';
import { sameDictionary } from './sameDictionary.ts';
import type { Source } from './source.ts';
import { type LoadedStudy, loadStudy } from './study.ts';
import { plainWords } from './studySaid.ts';
import { useLoaded } from './useLoaded.ts';
import { goTo, useRoute } from './useRoute.ts';
import { type ViewProps, viewNamed, type WebView } from './view.ts';
import { views } from './views.ts';

const staleIn = ({ stages }: StudyProgress): Readonly<Record<string, string>> =>
  Object.fromEntries(stages.flatMap(({ name, stale }) => (stale === undefined ? [] : [[name, stale]])));

const isSame = (a: object, b: object) => JSON.stringify(a) === JSON.stringify(b);

interface FollowedStudy {
  readonly study: LoadedStudy;
  readonly progress: StudyProgress | undefined;
  /** asks a server that went away again; undefined while it answers */
  readonly retry: (() => void) | undefined;
}

/** The study of a source, anew where its files have changed, and how far it is. */
function useStudy(source: Source): FollowedStudy {
  const [study, setStudy] = useState(() => loadStudy(source));
  const [progress, setProgress] = useState<StudyProgress>();
  const [lost, setLost] = useState(false);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let away = attempt > 0;
    return source.onChange?.((event) => {
      if (event.kind === 'status') {
        setProgress(event.status);
        const stale = staleIn(event.status);
        setStudy((before) => (isSame(before.stale, stale) ? before : before.withStale(stale)));
      } else if (event.kind === 'files') setStudy((before) => before.without(event.changed));
      else {
        setLost(event.kind === 'lost');
        // what changed in between was not told
        if (event.kind === 'found' && away) setStudy((before) => before.afresh());
        away = event.kind === 'lost';
      }
    });
  }, [source, attempt]);
  return { study, progress, retry: lost ? () => setAttempt(attempt + 1) : undefined };
}

function LostNote({ retry }: { readonly retry: () => void }) {
  return (
    <section className="note note-bad lost" role="alert" aria-label="The server went away">
      <p>
        <strong>The server does not answer.</strong> What is shown is what it said before. Is{' '}
        <code>culprit view</code> still running?
      </p>
      <button type="button" onClick={retry}>
        try again
      </button>
    </section>
  );
}

const mainId = 'content';

/** A link to an anchor would be taken for an address of the app. */
const SkipLink = () => (
  <button type="button" className="skip" onClick={() => document.getElementById(mainId)?.focus()}>
    skip to the content
  </button>
);

/** The view whose tab is marked. */
const tabOf = ({ name, under }: WebView) => under ?? name;

interface FrameProps {
  readonly sources: readonly Source[];
  readonly route: Route;
  readonly views: readonly WebView[];
}

interface HeadProps extends FrameProps {
  /** the one that is shown */
  readonly view: WebView;
}

/** Where another study is chosen: what is shown, where that is the same there; else the view of its tab. */
async function hashInOther(from: Source, to: Source, route: Route, view: WebView): Promise<string> {
  const query = { study: to.id };
  const other = hashOf({ view: tabOf(view), query });
  if (!view.ofDictionary) return other;
  const manifests = [from, to].map((source) =>
    loadStudy(source)
      .manifest()
      .catch(() => undefined),
  );
  const [here, there] = await Promise.all(manifests);
  return sameDictionary(here, there) ? hashOf({ view: view.name, argument: route.argument, query }) : other;
}

function StudyChoice({ sources, route, view }: HeadProps) {
  const shown = sources.find(({ id }) => id === route.query.study) ?? sources[0]!;
  const choose = async (id: string) => {
    const chosen = sources.find((source) => source.id === id);
    if (chosen) goTo(await hashInOther(shown, chosen, route, view));
  };
  if (sources.length < 2) return <span className="study-name">{sources[0]!.name}</span>;
  return (
    <select
      aria-label="Study"
      className="study-name"
      value={shown.id}
      onChange={({ target }) => choose(target.value)}
    >
      {sources.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}

function Tabs({ route, views, view }: HeadProps) {
  const tabs = useRef<HTMLElement>(null);
  const marked = tabOf(view);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the marked tab that is looked for
  useEffect(() => {
    const [row, tab] = [tabs.current, tabs.current?.querySelector<HTMLElement>('[aria-current]')];
    if (row && tab)
      row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
  }, [marked]);
  return (
    <nav aria-label="Views" ref={tabs}>
      {views.map(
        ({ name, tab }) =>
          tab !== undefined && (
            <a key={name} href={inStudy(route, name)} aria-current={marked === name ? 'page' : undefined}>
              {tab}
            </a>
          ),
      )}
    </nav>
  );
}

interface OpenStudyProps extends Omit<ViewProps, 'study' | 'progress'> {
  readonly source: Source;
  readonly view: WebView;
}

/** Moves the focus to what another address shows, on the way back to the link that was followed; not to the first. */
function useFocusOn(place: string) {
  const main = useRef<HTMLElement>(null);
  const before = useRef(place);
  useEffect(() => {
    if (before.current === place) return;
    before.current = place;
    return main.current ? focusFollowed(main.current) : undefined;
  }, [place]);
  return main;
}

function OpenStudy({ source, sources, route, view }: OpenStudyProps) {
  const { study, progress, retry } = useStudy(source);
  const main = useFocusOn(`${view.name}/${route.argument ?? ''}`);
  useKeptScroll('page', undefined, [view.name, route.argument]);
  // that it could not be read is told by the views that rest on it
  const { value: said } = useLoaded(() => study.said(), [study]);
  const Shown = view.component;
  return (
    <>
      {retry && <LostNote retry={retry} />}
      {progress && <ProgressBar progress={progress} />}
      <StaleNote stale={study.stale} />
      <main ref={main} id={mainId} tabIndex={-1} onClickCapture={keepFollowed}>
        <VerdictWordsOf value={said?.words ?? plainWords}>
          <Shown
            key={`${view.name}/${route.argument}`}
            study={study}
            progress={progress}
            route={route}
            sources={sources}
          />
        </VerdictWordsOf>
      </main>
    </>
  );
}

/** The app at a route. */
export function Frame({ sources, route, views }: FrameProps) {
  const view = viewNamed(views, route.view);
  const source = sources.find(({ id }) => id === route.query.study) ?? sources[0];
  const title = view.title?.(route) ?? view.tab;
  useEffect(() => {
    if (source) document.title = [title, source.name, 'culprit'].filter(Boolean).join(' · ');
  }, [source, title]);
  if (!source) return <p className="note">No study is open. Give one: culprit view STUDY</p>;
  const head = { sources, route, views, view };
  return (
    <>
      <SkipLink />
      <header>
        <a className="brand" href={inStudy(route, home)}>
          culprit
        </a>
        <StudyChoice {...head} />
        <Tabs {...head} />
        <ThemeSwitch />
      </header>
      <OpenStudy key={source.id} source={source} sources={sources} route={route} view={view} />
    </>
  );
}

export const App = ({ sources }: { sources: readonly Source[] }) => (
  <Frame sources={sources} route={useRoute()} views={views} />
);
