/** The app's frame: which study, which view of it, how far it is. */
import { useEffect, useState } from 'react';
import type { StudyProgress } from '../results.ts';
import { StaleNote } from './parts/notes.tsx';
import { ProgressBar } from './parts/progress.tsx';
import { ThemeSwitch } from './parts/themeSwitch.tsx';
import { hashOf, home, inStudy, type Route } from './routes.ts';
import type { Source } from './source.ts';
import { type LoadedStudy, loadStudy } from './study.ts';
import { goTo, useRoute } from './useRoute.ts';
import { type ViewProps, viewNamed, type WebView } from './view.ts';
import { views } from './views.ts';

const staleIn = ({ stages }: StudyProgress): Readonly<Record<string, string>> =>
  Object.fromEntries(stages.flatMap(({ name, stale }) => (stale === undefined ? [] : [[name, stale]])));

const isSame = (a: object, b: object) => JSON.stringify(a) === JSON.stringify(b);

/** The study of a source, anew where its files have changed, and how far it is. */
function useStudy(source: Source): { study: LoadedStudy; progress: StudyProgress | undefined } {
  const [study, setStudy] = useState(() => loadStudy(source));
  const [progress, setProgress] = useState<StudyProgress>();
  useEffect(
    () =>
      source.onChange?.((event) => {
        if (event.kind === 'status') {
          setProgress(event.status);
          const stale = staleIn(event.status);
          setStudy((before) => (isSame(before.stale, stale) ? before : before.withStale(stale)));
        } else setStudy((before) => before.without(event.changed));
      }),
    [source],
  );
  return { study, progress };
}

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

/** Another study has other latents: of a view under a tab, that of the tab is shown. */
function StudyChoice({ sources, route, view }: HeadProps) {
  if (sources.length < 2) return <span className="study-name">{sources[0]!.name}</span>;
  return (
    <select
      aria-label="Study"
      className="study-name"
      value={route.query.study ?? sources[0]!.id}
      onChange={({ target }) => goTo(hashOf({ view: tabOf(view), query: { study: target.value } }))}
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
  return (
    <nav aria-label="Views">
      {views.map(
        ({ name, tab }) =>
          tab !== undefined && (
            <a
              key={name}
              href={inStudy(route, name)}
              aria-current={tabOf(view) === name ? 'page' : undefined}
            >
              {tab}
            </a>
          ),
      )}
    </nav>
  );
}

interface OpenStudyProps extends Omit<ViewProps, 'study'> {
  readonly source: Source;
  readonly view: WebView;
}

function OpenStudy({ source, sources, route, view }: OpenStudyProps) {
  const { study, progress } = useStudy(source);
  const Shown = view.component;
  return (
    <>
      {progress && <ProgressBar progress={progress} />}
      <StaleNote stale={study.stale} />
      <main>
        <Shown key={`${view.name}/${route.argument}`} study={study} route={route} sources={sources} />
      </main>
    </>
  );
}

/** The app at a route. */
export function Frame({ sources, route, views }: FrameProps) {
  const view = viewNamed(views, route.view);
  const source = sources.find(({ id }) => id === route.query.study) ?? sources[0];
  useEffect(() => {
    if (source) document.title = `${source.name} · culprit`;
  }, [source]);
  if (!source) return <p className="note">No study is open. Give one: culprit view STUDY</p>;
  const head = { sources, route, views, view };
  return (
    <>
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
