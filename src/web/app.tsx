/** The app's frame: which study, which view of it, how far it is. */
import { type ReactNode, useEffect, useState } from 'react';
import type { StudyProgress } from '../results.ts';
import { Progress } from './parts/progress.tsx';
import { ThemeSwitch } from './parts/themeSwitch.tsx';
import { hashOf, inStudy, type Route, type View } from './routes.ts';
import type { Source } from './source.ts';
import { openStudy, type Study } from './study.ts';
import { goTo, useRoute } from './useRoute.ts';
import { CompareView } from './views/compare/compareView.tsx';
import { LatentView } from './views/latent/latentView.tsx';
import { LatentsView } from './views/latents/latentsView.tsx';
import { OverviewView } from './views/overview/overviewView.tsx';
import { PairsView } from './views/pairs/pairsView.tsx';
import { PlaygroundView } from './views/playground/playgroundView.tsx';
import { MethodsView } from './views/record/recordView.tsx';

interface ViewProps {
  readonly study: Study;
  readonly route: Route;
  readonly sources: readonly Source[];
}

const viewOf: Readonly<Record<View, (props: ViewProps) => ReactNode>> = {
  overview: OverviewView,
  latents: LatentsView,
  latent: LatentView,
  pairs: PairsView,
  playground: PlaygroundView,
  methods: MethodsView,
  compare: CompareView,
};

const tabs: readonly { readonly view: View; readonly name: string; readonly also?: View }[] = [
  { view: 'overview', name: 'Overview' },
  { view: 'latents', name: 'Latents', also: 'latent' },
  { view: 'pairs', name: 'Pairs' },
  { view: 'playground', name: 'Playground' },
  { view: 'methods', name: 'Methods' },
  { view: 'compare', name: 'Compare' },
];

/** The study of a source, anew where its files have changed, and how far it is. */
function useStudy(source: Source): { study: Study; progress: StudyProgress | undefined } {
  const [study, setStudy] = useState(() => openStudy(source));
  const [progress, setProgress] = useState<StudyProgress>();
  useEffect(
    () =>
      source.onChange?.((event) => {
        if (event.kind === 'status') setProgress(event.status);
        else setStudy((before) => before.without(event.changed));
      }),
    [source],
  );
  return { study, progress };
}

/** Another study has other latents. */
const withoutArgument = (view: View) => (view === 'latent' ? 'latents' : view);

function StudyChoice({ sources, route }: { sources: readonly Source[]; route: Route }) {
  if (sources.length < 2) return <span className="study-name">{sources[0]!.name}</span>;
  return (
    <select
      aria-label="Study"
      className="study-name"
      value={route.query.study ?? sources[0]!.id}
      onChange={({ target }) =>
        goTo(hashOf({ view: withoutArgument(route.view), query: { study: target.value } }))
      }
    >
      {sources.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}

function Tabs({ route }: { route: Route }) {
  return (
    <nav aria-label="Views">
      {tabs.map(({ view, name, also }) => (
        <a
          key={view}
          href={inStudy(route, view)}
          aria-current={route.view === view || route.view === also ? 'page' : undefined}
        >
          {name}
        </a>
      ))}
    </nav>
  );
}

function OpenStudy({ source, sources, route }: { source: Source } & Omit<ViewProps, 'study'>) {
  const { study, progress } = useStudy(source);
  const View = viewOf[route.view];
  return (
    <>
      {progress && <Progress progress={progress} />}
      <main>
        <View key={`${route.view}/${route.argument}`} study={study} route={route} sources={sources} />
      </main>
    </>
  );
}

export function App({ sources }: { sources: readonly Source[] }) {
  const route = useRoute();
  const source = sources.find(({ id }) => id === route.query.study) ?? sources[0];
  useEffect(() => {
    if (source) document.title = `${source.name} · culprit`;
  }, [source]);
  if (!source) return <p className="note">No study is open. Give one: culprit view STUDY</p>;
  return (
    <>
      <header>
        <a className="brand" href={inStudy(route, 'overview')}>
          culprit
        </a>
        <StudyChoice sources={sources} route={route} />
        <Tabs route={route} />
        <ThemeSwitch />
      </header>
      <OpenStudy key={source.id} source={source} sources={sources} route={route} />
    </>
  );
}
