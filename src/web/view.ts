/**
 * What a view of the app is: one object, which its folder in views/ exports and the list in views.ts names.
 * Knows no view.
 */
import type { ReactNode } from 'react';
import type { StudyProgress } from '../results.ts';
import type { Route } from './routes.ts';
import type { Source } from './source.ts';
import type { LoadedStudy } from './study.ts';

export interface ViewProps {
  readonly study: LoadedStudy;
  /** how far a study is that a server shows; undefined where that is not known */
  readonly progress: StudyProgress | undefined;
  readonly route: Route;
  /** of all studies that are open */
  readonly sources: readonly Source[];
}

export interface WebView {
  /** in the address: `#/NAME` */
  readonly name: string;
  /** the title of its tab; undefined where it has none */
  readonly tab?: string;
  /**
   * for a view without a tab of its own: the view whose tab is marked, and which is shown when another
   * study is chosen
   */
  readonly under?: string;
  /** what the window is called at a route, before the study's name; default the tab's title */
  readonly title?: (route: Route) => string;
  /** its argument names the same in every study of the same dictionary */
  readonly ofDictionary?: boolean;
  readonly component: (props: ViewProps) => ReactNode;
}

/** The view with this name; the first where none has it. */
export const viewNamed = (views: readonly WebView[], name: string): WebView =>
  views.find((view) => view.name === name) ?? views[0]!;
