/** Progress on a terminal as a bar with an estimate, elsewhere as plain lines; on standard error, so that results can be piped. */
import { SingleBar } from 'cli-progress';
import type { Progress, Stage } from '../study/progress.ts';

const linesEvery = 5_000;

export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

function bar(stream: NodeJS.WriteStream, label: string, total: number, done: number): Stage {
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
    return { left: now > done ? `${duration(((total - now) * each) / 1000)} left` : '' };
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

function lines(stream: NodeJS.WriteStream, label: string, total: number, done: number): Stage {
  const start = Date.now();
  let last = start;
  let now = done;
  return {
    advance(units = 1) {
      now += units;
      if (Date.now() - last < linesEvery || now === total) return;
      last = Date.now();
      const left = ((last - start) / (now - done)) * (total - now);
      stream.write(`${label}: ${now} of ${total}, about ${duration(left / 1000)} left\n`);
    },
    end() {
      if (total > 0) stream.write(`${label}: ${now} of ${total}, ${duration((Date.now() - start) / 1000)}\n`);
    },
  };
}

/** Progress drawn on a stream. */
export function progressOn(stream: NodeJS.WriteStream): Progress {
  return {
    stage: (label, total, done = 0) => (stream.isTTY ? bar : lines)(stream, label, total, done),
    note: (line) => void stream.write(`${line}\n`),
  };
}
