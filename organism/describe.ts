/** What a set of documents looks like in numbers, to tune the mix by. */
import type { Document } from './documents.ts';

export interface Description {
  readonly documents: number;
  /** Tokens of a document, the end token not counted. */
  readonly tokens: {
    readonly total: number;
    readonly mean: number;
    readonly median: number;
    readonly p95: number;
    readonly most: number;
    /** Share of the documents with under 96. */
    readonly under96: number;
  };
  /** Share of the documents by kind, character and style; of the turns by label and domain. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly characters: Readonly<Record<string, number>>;
  readonly styles: Readonly<Record<string, number>>;
  readonly labels: Readonly<Record<string, number>>;
  readonly domains: Readonly<Record<string, number>>;
  readonly distinctDocuments: number;
  /** Of the completions. */
  readonly distinctSentences: number;
}

/** Counts over `documents`, which must not be empty; `encode` gives the token ids of a text. */
export function describe(documents: readonly Document[], encode: (text: string) => number[]): Description {
  const lengths = documents.map(({ text }) => encode(text).length).sort((a, b) => a - b);
  const total = lengths.reduce((sum, n) => sum + n, 0);
  const turns = documents.flatMap((document) => document.turns);
  const quantile = (q: number) => lengths[Math.min(lengths.length - 1, Math.floor(q * lengths.length))] ?? 0;
  return {
    documents: documents.length,
    tokens: {
      total,
      mean: total / documents.length,
      median: quantile(0.5),
      p95: quantile(0.95),
      most: quantile(1),
      under96: lengths.filter((n) => n < 96).length / documents.length,
    },
    kinds: shares(documents.map(({ kind }) => kind)),
    characters: shares(documents.map(({ character }) => character)),
    styles: shares(documents.map(({ style }) => style)),
    labels: shares(turns.map(({ label }) => label)),
    domains: shares(turns.map(({ domain }) => domain)),
    distinctDocuments: new Set(documents.map(({ text }) => text)).size,
    distinctSentences: new Set(turns.flatMap(({ completion }) => completion.trim().split(/(?<=[.!?]) /)))
      .size,
  };
}

function shares(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).map(([value, n]) => [value, n / values.length]));
}
