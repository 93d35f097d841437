/** What the server answers to: the app, studies, their files, word of changes, and steered texts. */
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { compress } from 'hono/compress';
import { stream, streamSSE } from 'hono/streaming';
import type { z } from 'zod';
import { InputError } from '../../errors.ts';
import { checked } from '../../files/schema.ts';
import {
  latentAsked,
  linesType,
  parseJson,
  type ReadAnswer,
  readBody,
  resultFiles,
  type ServedFiles,
  type ServedStudies,
  type SteerLine,
  steerBody,
  studiesAddress,
  studyAddresses,
} from '../../results.ts';
import type { Playground } from '../playground/served.ts';
import { appNames } from '../report/app.ts';
import { isResultFile, type StudyFolder, shownFiles } from '../report/studyFolder.ts';
import { guard, isSame, refused } from './guard.ts';
import { sendFile } from './sendFile.ts';
import { sendTrials } from './sendTrials.ts';
import type { StudyWatch } from './watch.ts';

export interface ViewedStudy extends StudyFolder {
  readonly watch: StudyWatch;
  readonly playground: Playground;
}

export interface ViewRoutes {
  readonly studies: readonly ViewedStudy[];
  /** absolute, without symbolic links */
  readonly appFolder: string;
  readonly token: string;
  /** the port listened on */
  readonly port: () => number;
  /** told of errors that are ours to mend */
  readonly onBug: (error: unknown) => void;
}

/** Parquet is compressed in itself. */
const compressible = /^(text\/|application\/(json|x-ndjson))/;

/** Most bytes of what is asked to be steered. */
const maxSize = 2 ** 20;

/** `what`: the name of what is asked, for messages. */
function parsedBody<S extends z.ZodType>(text: string, schema: S, what: string): z.output<S> {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch {
    throw new InputError(`${what}: expected JSON`);
  }
  return checked(schema, json, what);
}

const errorLine = (message: string): string =>
  `${JSON.stringify({ kind: 'error', message } satisfies SteerLine)}\n`;

export function viewRoutes({ studies, appFolder, token, port, onBug }: ViewRoutes): Hono {
  const app = new Hono();
  const { files, events, steer, read } = studyAddresses(':id');
  const found = (id: string) => studies.find((study) => study.id === id);
  app.use(guard(port));
  // not what is streamed as it comes: texts that are being steered, and events
  const packed = compress({ contentTypeFilter: (type) => compressible.test(type) });
  for (const path of ['/', `/${appNames.script}`, `/${appNames.style}`, `/${files}/*`]) app.use(path, packed);

  for (const [path, name] of [
    ['/', appNames.page],
    ...[appNames.script, appNames.style].map((one) => [`/${one}`, one]),
  ])
    app.get(
      path!,
      async (c) => (await sendFile(c, appFolder, name!)) ?? refused(c, 404, `${name}: not built`),
    );

  app.get(`/${studiesAddress}`, (c) => {
    const listed = studies.map(({ id, name, folder }) => ({ id, name, folder }));
    return c.json({ studies: listed } satisfies ServedStudies);
  });

  app.get(`/${files}`, async (c) => {
    const study = found(c.req.param('id'));
    if (!study) return refused(c, 404, 'no such study');
    return c.json({ files: await shownFiles(study.folder) } satisfies ServedFiles);
  });

  app.get(`/${files}/:path{.+}`, async (c) => {
    const study = found(c.req.param('id'));
    const path = c.req.param('path');
    if (!study || !isResultFile(path)) return refused(c, 404, 'no such file');
    const latent = path === resultFiles.steered ? c.req.query(latentAsked) : undefined;
    if (latent !== undefined && !/^\d{1,9}$/.test(latent))
      return refused(c, 400, `${latentAsked}: expected the number of a latent`);
    const sent =
      latent === undefined
        ? sendFile(c, study.folder, path)
        : sendTrials(c, study.folder, path, Number(latent));
    return (await sent) ?? refused(c, 404, 'no such file');
  });

  app.get(`/${events}`, (c) => {
    const study = found(c.req.param('id'));
    if (!study) return refused(c, 404, 'no such study');
    if (c.req.method === 'HEAD') return c.body(null);
    return streamSSE(c, async (out) => {
      const ended = new Promise<void>((resolve) => out.onAbort(resolve));
      const unsubscribe = study.watch.subscribe(({ event, data }) => {
        // One who has gone is told nothing; `onAbort` ends the rest.
        out.writeSSE({ event, data: JSON.stringify(data) }).catch(() => {});
      });
      await ended;
      unsubscribe();
    });
  });

  const limited = (what: string) =>
    bodyLimit({
      maxSize,
      onError: (c) => c.body(errorLine(`${what}: expected at most ${maxSize} bytes`), 413),
    });

  /** What is asked of the models of a study, by who has the token; or why it is not answered. */
  async function askedOf<S extends z.ZodType>(
    c: Context,
    schema: S,
    what: string,
  ): Promise<{ readonly study: ViewedStudy; readonly body: z.output<S> } | Response> {
    c.header('Content-Type', linesType);
    const study = found(c.req.param('id') ?? '');
    if (!study) return c.body(errorLine('no such study'), 404);
    if (!isSame(c.req.query('token') ?? '', token))
      return c.body(
        errorLine(`${what}: expected the token in the address that \`culprit view\` printed`),
        403,
      );
    if (!/^application\/json\b/i.test(c.req.header('content-type') ?? ''))
      return c.body(errorLine(`${what}: expected content of type application/json`), 415);
    try {
      return { study, body: parsedBody(await c.req.text(), schema, what) };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return c.body(errorLine(error.message), 400);
    }
  }

  /** What went wrong, for who asked; what is ours to mend is told on the terminal. */
  function told(error: unknown): string {
    if (error instanceof InputError) return error.message;
    onBug(error);
    return 'unexpected error; see the terminal';
  }

  app.post(`/${read}`, limited('read'), async (c) => {
    const asked = await askedOf(c, readBody, 'read');
    if (asked instanceof Response) return asked;
    try {
      const answer: ReadAnswer = await asked.study.playground.read(asked.body, c.req.raw.signal);
      return c.body(`${JSON.stringify(answer)}\n`);
    } catch (error) {
      // what does not fit the study is an answer, as it is to `steer`
      return c.body(errorLine(told(error)), error instanceof InputError ? 200 : 500);
    }
  });

  app.post(`/${steer}`, limited('steer'), async (c) => {
    const asked = await askedOf(c, steerBody, 'steer');
    if (asked instanceof Response) return asked;
    const { study, body } = asked;
    return stream(c, async (out) => {
      const stop = new AbortController();
      out.onAbort(() => stop.abort());
      let written: Promise<unknown> = Promise.resolve();
      const write = (text: string) => {
        written = written.then(() => out.write(text));
      };
      try {
        await study.playground.steer(body, (line) => write(`${JSON.stringify(line)}\n`), stop.signal);
      } catch (error) {
        if (stop.signal.aborted) return;
        write(errorLine(told(error)));
      }
      await written;
    });
  });

  app.all('*', (c) =>
    ['GET', 'HEAD'].includes(c.req.method)
      ? refused(c, 404, 'no such page')
      : refused(c, 405, 'expected GET or HEAD, or POST to steer'),
  );
  app.onError((error, c) => {
    if (error instanceof InputError) return c.json({ error: error.message }, 500);
    onBug(error);
    return c.json({ error: 'unexpected error; see the terminal' }, 500);
  });
  return app;
}
