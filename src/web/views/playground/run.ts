/** What came of a request so far. */
import { type SteerBody, type SteerLine, type SteerSide, steerSides } from '../../../results.ts';
import type { SteerToken } from './steer.ts';

interface Said {
  readonly tokens: readonly SteerToken[];
  /** why it ended; undefined while it goes on */
  readonly stop: Extract<SteerLine, { kind: 'end' }>['stop'] | undefined;
}

export interface Run extends Readonly<Record<SteerSide, Said>> {
  /** what was asked for */
  readonly body: SteerBody;
  readonly state: 'running' | 'done' | 'stopped';
  readonly error: string | undefined;
}

const nothing: Said = { tokens: [], stop: undefined };

export const begun = (body: SteerBody): Run => ({
  body,
  alone: nothing,
  steered: nothing,
  state: 'running',
  error: undefined,
});

export function withLine(run: Run, line: SteerLine): Run {
  if (line.kind === 'error') return { ...run, error: line.message };
  const said = run[line.side];
  const next =
    line.kind === 'end' ? { ...said, stop: line.stop } : { ...said, tokens: [...said.tokens, line] };
  return { ...run, [line.side]: next };
}

/** Where the two texts part; undefined where one goes on as the other does, so far. */
export function parting({ alone, steered }: Run): number | undefined {
  const place = alone.tokens.findIndex(
    ({ id }, i) => steered.tokens[i] !== undefined && steered.tokens[i].id !== id,
  );
  return place < 0 ? undefined : place;
}

/** Whether there is anything to show. */
export const saysSomething = (run: Run): boolean => steerSides.some((side) => run[side].tokens.length > 0);
