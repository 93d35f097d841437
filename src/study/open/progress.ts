/** How long work tells of its progress; the command line draws it, a library user may pass nothing. */

export interface Progress {
  /** Begins a stage of `total` units; returns what advances and ends it. */
  stage(label: string, total: number, done?: number): ProgressStage;
  /** One line said once. */
  note(line: string): void;
}

export interface ProgressStage {
  advance(units?: number): void;
  end(): void;
}

/** Says nothing. */
export const silent: Progress = {
  stage: () => ({ advance() {}, end() {} }),
  note() {},
};
