/** What the server answers to: the app, studies, their files, word of changes, and steered texts. */
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { compress } from 'hono/compress';
import { stream, streamSSE } from 'hono/streaming';
import { InputError } from '../../errors.ts';
import { checked } from '../../files/schema.ts';
import {
  latentAsked,
  linesType,
  parseJson,
  resultFiles,
  type ServedFiles,
  type ServedStudies,
  type SteerBody,
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

function parsedBody(text: string): SteerBody {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch {
    throw new InputError('steer: expected JSON');
  }
  return checked(steerBody, json, 'steer');
}

const errorLine = (message: string): string =>
  `${JSON.stringify({ kind: 'error', message } satisfies SteerLine)}\n`;

export function viewRoutes({ studies, appFolder, token, port, onBug }: ViewRoutes): Hono {
  const app = new Hono();
  const { files, events, steer } = studyAddresses(':id');
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

  app.post(
    `/${steer}`,
    bodyLimit({
      maxSize,
      onError: (c) => c.body(errorLine(`steer: expected at most ${maxSize} bytes`), 413),
    }),
    async (c) => {
      c.header('Content-Type', linesType);
      const study = found(c.req.param('id'));
      if (!study) return c.body(errorLine('no such study'), 404);
      if (!isSame(c.req.query('token') ?? '', token))
        return c.body(errorLine('steer: expected the token in the address that `culprit view` printed'), 403);
      if (!/^application\/json\b/i.test(c.req.header('content-type') ?? ''))
        return c.body(errorLine('steer: expected content of type application/json'), 415);
      let body: SteerBody;
      try {
        body = parsedBody(await c.req.text());
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        return c.body(errorLine(error.message), 400);
      }
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
          if (!(error instanceof InputError)) onBug(error);
          write(
            errorLine(error instanceof InputError ? error.message : 'unexpected error; see the terminal'),
          );
        }
        await written;
      });
    },
  );

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
