/** A request as React state: begun, followed line by line, stopped. */
import { useEffect, useRef, useState } from 'react';
import type { SteerBody } from '../../../results.ts';
import type { Source } from '../../source.ts';
import { begun, type Run, withLine } from './run.ts';
import { steerLines } from './steer.ts';

interface Following {
  readonly run: Run | undefined;
  readonly start: (body: SteerBody) => void;
  readonly stop: () => void;
}

export function useRun(source: Source): Following {
  const [run, setRun] = useState<Run>();
  const going = useRef<AbortController>(undefined);
  const stop = () => going.current?.abort();
  useEffect(() => () => going.current?.abort(), []);

  const follow = async (body: SteerBody, { signal }: AbortController) => {
    const change = (how: (run: Run) => Run) => !isStale(signal) && setRun((before) => how(before!));
    try {
      for await (const line of steerLines(source, body, signal)) change((before) => withLine(before, line));
      change((before) => ({ ...before, state: 'done' }));
    } catch (error) {
      if (signal.aborted) change((before) => ({ ...before, state: 'stopped' }));
      else change((before) => ({ ...before, state: 'done', error: (error as Error).message }));
    }
  };
  /** Another request has begun since. */
  const isStale = (signal: AbortSignal) => going.current?.signal !== signal;

  return {
    run,
    stop,
    start(body) {
      stop();
      going.current = new AbortController();
      setRun(begun(body));
      void follow(body, going.current);
    },
  };
}
