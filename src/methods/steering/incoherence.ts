/**
 * What calls a completion of the dose search incoherent: the judge, cheap signs that need none, or either
 * of them.
 */
export const incoherenceMeasures = ['judge', 'cheap', 'both'] as const;
export type IncoherenceMeasure = (typeof incoherenceMeasures)[number];
