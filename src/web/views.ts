/** The views of the app, in the order of their tabs; the first is shown where the address names none. */
import type { WebView } from './view.ts';
import { compareView } from './views/compare/compareView.tsx';
import { latentView } from './views/latent/latentView.tsx';
import { latentsView } from './views/latents/latentsView.tsx';
import { overviewView } from './views/overview/overviewView.tsx';
import { pairsView } from './views/pairs/pairsView.tsx';
import { playgroundView } from './views/playground/playgroundView.tsx';
import { recordView } from './views/record/recordView.tsx';
import { transcriptsView } from './views/transcripts/transcriptsView.tsx';

export const views: readonly WebView[] = [
  overviewView,
  latentsView,
  latentView,
  pairsView,
  transcriptsView,
  playgroundView,
  recordView,
  compareView,
];
