/** Opens the page's studies and draws the app. */
import './withoutEval.ts';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { openSources } from './openSources.ts';
import { Failed } from './parts/notes.tsx';

const root = createRoot(document.getElementById('app')!);
openSources(document).then(
  (sources) =>
    root.render(
      <StrictMode>
        <App sources={sources} />
      </StrictMode>,
    ),
  (error: Error) => root.render(<Failed error={error} />),
);
