/** Turns at made-up slow work: in order, one at a time, given up while they wait and while they work. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { turns } from '../../../src/study/playground/turns.ts';

/** One who asks: what it was told, and what ends its work. */
function asker(queue: ReturnType<typeof turns>, log: string[], name: string) {
  const stop = new AbortController();
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const asked = queue.take(async () => {
    log.push(`${name} begins`);
    await ended;
    log.push(`${name} ends`);
    stop.signal.throwIfAborted();
  }, stop.signal);
  const told = { of: 'nothing' as unknown };
  asked.then(
    () => {
      told.of = 'done';
    },
    (error: unknown) => {
      told.of = error;
    },
  );
  return { told, end, cancel: () => stop.abort('gone') };
}

const full = new InputError('2 texts are waiting already, the most allowed: try again later');

it('are given one after another', async () => {
  const log: string[] = [];
  const queue = turns(2);
  const [a, b] = ['a', 'b'].map((name) => asker(queue, log, name));
  b!.end();
  await turn();
  expect(log).toEqual(['a begins']);
  a!.end();
  await turn();
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  expect([a!.told.of, b!.told.of]).toEqual(['done', 'done']);
});

it('given up while they wait end at once, are never worked at, and leave their place to another', async () => {
  const log: string[] = [];
  const queue = turns(2);
  const [a, b, c, refused] = ['a', 'b', 'c', 'd'].map((name) => asker(queue, log, name));
  await turn();
  expect([b!.told.of, refused!.told.of]).toEqual(['nothing', full]);
  b!.cancel();
  await turn();
  expect(b!.told.of).toBe('gone');
  const e = asker(queue, log, 'e');
  const alsoRefused = asker(queue, log, 'f');
  await turn();
  expect([e.told.of, alsoRefused.told.of]).toEqual(['nothing', full]);
  for (const one of [a!, c!, e]) one.end();
  await turn();
  expect(log).toEqual(['a begins', 'a ends', 'c begins', 'c ends', 'e begins', 'e ends']);
});

it('given up while they work are over when the work has ended: no other begins before', async () => {
  const log: string[] = [];
  const queue = turns(2);
  const [a, b] = ['a', 'b'].map((name) => asker(queue, log, name));
  await turn();
  a!.cancel();
  await turn();
  expect(log).toEqual(['a begins']);
  a!.end();
  await turn();
  expect(log).toEqual(['a begins', 'a ends', 'b begins']);
  expect(a!.told.of).toBe('gone');
  b!.end();
  await turn();
  expect(b!.told.of).toBe('done');
});

it('given up before they are asked for are not worked at', async () => {
  const log: string[] = [];
  const queue = turns(2);
  await expect(queue.take(async () => void log.push('begins'), AbortSignal.abort('gone'))).rejects.toBe(
    'gone',
  );
  expect(log).toEqual([]);
});
