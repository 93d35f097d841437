/**
 * A program that runs the small study: smallStudyChild FOLDER UNITS LANES SEED [WHERE HOW]. With WHERE it
 * kills itself with -9 before the WHERE-th call that changes the disk, counted from 0, or in the midst of
 * it where HOW is `half` and the call writes. It prints what it tells, and at the end the calls it made,
 * each as a line of JSON.
 */
import { writeSync } from 'node:fs';
import promises, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { draw } from './opCases.ts';
import { runSmallStudy } from './smallStudy.ts';

export type Printed =
  | readonly [event: 'made' | 'kept' | 'note', text: string]
  | readonly ['calls', ...string[]];

const [folder, units, lanes, seed, where, how] = process.argv.slice(2);
const calls: string[] = [];

type Call = (this: unknown, ...args: unknown[]) => Promise<unknown>;

/** Makes a method of `target` count its calls, and end the process at the one that was asked for. */
function counted(target: object, name: string): void {
  const call = Reflect.get(target, name) as Call;
  Reflect.set(target, name, async function (this: unknown, ...args: unknown[]) {
    const isLast = calls.length === Number(where ?? -1);
    calls.push(name);
    if (!isLast) return call.apply(this, args);
    if (how === 'half' && typeof args[0] === 'string')
      await call.call(this, args[0].slice(0, args[0].length / 2));
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => {});
  });
}

const handle: FileHandle = await promises.open(process.execPath);
for (const name of ['writeFile', 'appendFile', 'sync', 'truncate'])
  counted(Object.getPrototypeOf(handle) as object, name);
await handle.close();
for (const name of ['open', 'mkdir', 'rename', 'rm', 'link']) counted(promises, name);
syncBuiltinESMExports();

const print = (...line: Printed) => writeSync(1, `${JSON.stringify(line)}\n`);
await runSmallStudy(folder!, {
  units: Number(units),
  lanes: Number(lanes),
  below: draw(Number(seed)).below,
  tell: print,
  note: (line) => print('note', line),
});
print('calls', ...calls);
