/** What was compared: all pairs, or one of them. */
import { type GradeRecord, type PairTokens, resultFiles } from '../../../results.ts';
import { apart } from '../../apart.ts';
import { Failed, Loading, Missing, Unread } from '../../parts/notes.tsx';
import { TrimmedNote } from '../../parts/trimmed.tsx';
import type { Route } from '../../routes.ts';
import type { LoadedStudy } from '../../study.ts';
import { useLoaded } from '../../useLoaded.ts';
import type { ViewProps, WebView } from '../../view.ts';
import { askedBy, type ComparedTexts, chosenContrasts, comparedTexts } from './chosen.ts';
import { PairList } from './list.tsx';
import { OnePair } from './onePair.tsx';

interface Compared {
  readonly contrasts: readonly ComparedTexts[];
  readonly tokens: ReadonlyMap<string, PairTokens> | undefined;
  readonly grades: ReadonlyMap<string, GradeRecord> | undefined;
  readonly errors: Readonly<Record<string, Error | undefined>>;
}

async function loadCompared(study: LoadedStudy, withGrades: boolean): Promise<Compared | undefined> {
  const { values, errors } = await apart({
    tokens: study.pairTokens(),
    grades: withGrades ? study.grades() : Promise.resolve(undefined),
  });
  const pairs = await study.pairs();
  const { tokens, grades } = values;
  return pairs && { contrasts: comparedTexts(pairs, tokens), tokens, grades, errors };
}

interface NamedProps {
  readonly id: string;
  readonly compared: Compared;
  readonly route: Route;
}

/** By the name of a contrast or of one of its pairs; those before and after are as in the list that is asked for. */
function Named({ id, compared: { contrasts, grades }, route }: NamedProps) {
  const contrast =
    contrasts.find((one) => one.id === id) ??
    contrasts.find(({ pairs }) => pairs.some((pair) => pair.id === id));
  if (contrast === undefined) return <Failed error={new Error(`No pair is named "${id}"`)} />;
  const chosen = chosenContrasts(contrasts, askedBy(route.query));
  const place = chosen.findIndex((one) => one.id === contrast.id);
  return (
    <OnePair
      contrast={contrast}
      pair={contrast.id === id ? undefined : contrast.pairs.find((pair) => pair.id === id)}
      grades={grades}
      before={chosen[place - 1]?.id}
      after={place < 0 ? undefined : chosen[place + 1]?.id}
      route={route}
    />
  );
}

function Pairs({ study, route }: ViewProps) {
  const id = route.argument;
  const loaded = useLoaded(() => loadCompared(study, id !== undefined), [study, id]);
  return (
    <>
      <Loading loaded={loaded} title="Pairs">
        {(compared) => {
          if (!compared)
            return (
              <Missing title="Pairs" command="culprit run STUDY">
                No pairs were made yet.
              </Missing>
            );
          return (
            <>
              {id === undefined ? (
                <PairList contrasts={compared.contrasts} tokens={compared.tokens} route={route} />
              ) : (
                <Named id={id} compared={compared} route={route} />
              )}
              <Unread errors={compared.errors} />
            </>
          );
        }}
      </Loading>
      <TrimmedNote source={study.source} paths={[resultFiles.pairs, resultFiles.pairTokens]} />
    </>
  );
}

export const pairsView: WebView = {
  name: 'pairs',
  tab: 'Pairs',
  title: ({ argument }) => (argument === undefined ? 'Pairs' : `Pair ${argument}`),
  component: Pairs,
};
