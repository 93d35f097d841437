/** What was compared: all pairs, or one of them. */
import { type GradeRecord, type PairRecord, type PairTokens, resultFiles } from '../../../results.ts';
import { Failed, Loading, Missing } from '../../parts/notes.tsx';
import { TrimmedNote } from '../../parts/trimmed.tsx';
import type { Route } from '../../routes.ts';
import type { LoadedStudy } from '../../study.ts';
import { useLoaded } from '../../useLoaded.ts';
import type { ViewProps, WebView } from '../../view.ts';
import { PairList } from './list.tsx';
import { OnePair } from './onePair.tsx';
import { tokensOf } from './pairTokens.ts';

interface Compared {
  readonly pairs: readonly PairRecord[];
  readonly tokens: ReadonlyMap<string, PairTokens> | undefined;
  readonly grades: ReadonlyMap<string, GradeRecord> | undefined;
}

async function loadCompared(study: LoadedStudy, withGrades: boolean): Promise<Compared | undefined> {
  const [pairs, tokens, grades] = await Promise.all([
    study.pairs(),
    study.pairTokens(),
    withGrades ? study.grades() : undefined,
  ]);
  return pairs && { pairs, tokens, grades };
}

function Named({
  id,
  compared,
  route,
}: {
  readonly id: string;
  readonly compared: Compared;
  readonly route: Route;
}) {
  const { pairs, tokens, grades } = compared;
  const own = pairs.findIndex((pair) => pair.id === id);
  const place = own < 0 ? pairs.findIndex((pair) => pair.prompt_id === id) : own;
  if (place < 0) return <Failed error={new Error(`No pair is named "${id}"`)} />;
  return (
    <OnePair
      pair={pairs[place]!}
      tokens={tokensOf(tokens, pairs[place]!)}
      grades={grades}
      before={pairs[place - 1]?.id}
      after={pairs[place + 1]?.id}
      route={route}
    />
  );
}

function Pairs({ study, route }: ViewProps) {
  const id = route.argument;
  const loaded = useLoaded(() => loadCompared(study, id !== undefined), [study, id]);
  return (
    <>
      <Loading loaded={loaded}>
        {(compared) => {
          if (!compared)
            return (
              <Missing title="Pairs" command="culprit run STUDY">
                No pairs were made yet.
              </Missing>
            );
          if (id !== undefined) return <Named id={id} compared={compared} route={route} />;
          return <PairList pairs={compared.pairs} tokens={compared.tokens} route={route} />;
        }}
      </Loading>
      <TrimmedNote source={study.source} paths={[resultFiles.pairs, resultFiles.pairTokens]} />
    </>
  );
}

export const pairsView: WebView = { name: 'pairs', tab: 'Pairs', component: Pairs };
