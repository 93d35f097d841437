/**
 * Progress on a terminal as a bar with an estimate, elsewhere as plain lines; on standard error, so that
 * results can be piped.
 */
import { SingleBar } from 'cli-progress';
import { type Progress, type ProgressStage, silent } from '../study/open/progress.ts';

const linesEvery = 5_000;

/** Whether so many units tell how long the rest will take: units that run side by side end together. */
const enough = (units: number, total: number) => units > 0 && units >= total / 50;

export function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 90) return `${whole} s`;
  if (whole < 5400) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`;
}

function bar(stream: NodeJS.WriteStream, label: string, total: number, done: number): ProgressStage {
  const drawn = new SingleBar({
    stream,
    format: `${label} {bar} {value}/{total}  {left}`,
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    linewrap: false,
    barCompleteChar: '█',
    barIncompleteChar: '░',
  });
  const start = Date.now();
  let now = done;
  const left = () => {
    const each = (Date.now() - start) / Math.max(1, now - done);
    const known = enough(now - done, total);
    return { left: known ? `${durationText(((total - now) * each) / 1000)} left` : '' };
  };
  const stop = () => drawn.stop();
  // However the process ends, the terminal gets its cursor back.
  process.once('exit', stop);
  drawn.start(total, done, left());
  return {
    advance(units = 1) {
      now += units;
      drawn.update(now, left());
    },
    end() {
      stop();
      process.off('exit', stop);
    },
  };
}

function lines(stream: NodeJS.WriteStream, label: string, total: number, done: number): ProgressStage {
  const start = Date.now();
  let last = start;
  let now = done;
  return {
    advance(units = 1) {
      now += units;
      if (Date.now() - last < linesEvery || now === total) return;
      last = Date.now();
      const left = ((last - start) / (now - done)) * (total - now);
      const told = enough(now - done, total) ? `, about ${durationText(left / 1000)} left` : '';
      stream.write(`${label}: ${now} of ${total}${told}\n`);
    },
    end() {
      if (total > 0)
        stream.write(`${label}: ${now} of ${total}, ${durationText((Date.now() - start) / 1000)}\n`);
    },
  };
}

let quiet = false;

/** Whether progress is told at all from now on. */
export function quieten(on: boolean): void {
  quiet = on;
}

export const isQuiet = (): boolean => quiet;

/** Progress drawn on a stream; none where the command was asked to be quiet. */
export function progressOn(stream: NodeJS.WriteStream): Progress {
  if (quiet) return silent;
  return {
    stage: (label, total, done = 0) => (stream.isTTY ? bar : lines)(stream, label, total, done),
    // over the bar, which is drawn again below
    note: (line) => void stream.write(`${stream.isTTY ? '\r\u001b[K' : ''}${line}\n`),
  };
}
