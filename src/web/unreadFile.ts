/** A result file that could not be read, and what mends that. */
import { InputError } from '../errors.ts';
import { latentOfPage, resultFiles } from '../results.ts';

/** Which stage makes a file again. */
const stages: Readonly<Record<string, string>> = {
  [resultFiles.check]: 'check',
  [resultFiles.completions]: 'sample',
  [resultFiles.grades]: 'grade',
  [resultFiles.pairs]: 'pair',
  [resultFiles.latents]: 'attribute',
  [resultFiles.fidelity]: 'fidelity',
  [resultFiles.steering]: 'steer',
  [resultFiles.steeringSummary]: 'steer',
  [resultFiles.steered]: 'steer',
  [resultFiles.pairTokens]: 'interpret',
  [resultFiles.fix]: 'fix',
};

/** A command; undefined where none makes the file again. */
function remedyOf(path: string, served: boolean): string | undefined {
  if (!served) return 'culprit report STUDY';
  const stage = latentOfPage(path) === undefined ? stages[path] : 'interpret';
  return stage === undefined ? undefined : `culprit run STUDY --redo ${stage}`;
}

export class UnreadFile extends InputError {
  /** the command that makes the file again; undefined where none does, or the file itself is not at fault */
  readonly remedy: string | undefined;

  private constructor(message: string, remedy: string | undefined) {
    super(message);
    this.remedy = remedy;
  }

  /** For bytes that are no such file. */
  static damaged(path: string, error: Error, served: boolean): UnreadFile {
    const place = error.message.startsWith(path) ? error.message : `${path}: ${error.message}`;
    return new UnreadFile(place, remedyOf(path, served));
  }

  /** For bytes that did not come. */
  static notGiven(path: string, error: Error): UnreadFile {
    return new UnreadFile(`${path}: it could not be fetched (${error.message})`, undefined);
  }
}
