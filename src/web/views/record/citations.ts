/** What to cite, as BibTeX. */

/** The method's source, and where its steering and its baseline come from. */
const sources = `@online{duprelatour2025debugging,
  author = {Dupre la Tour, T. and Mossing, D.},
  title = {Debugging misaligned completions with sparse-autoencoder latent attribution},
  organization = {OpenAI Alignment Research Blog},
  date = {2025-12-01},
}

@misc{wang2025persona,
  author = {Wang, M. and others},
  title = {Persona features control emergent misalignment},
  eprint = {2506.19823},
  eprinttype = {arXiv},
  year = {2025},
}`;

export const bibtexOf = (version: string | undefined): string =>
  `@software{culprit,
  title = {culprit: find the latents behind a misaligned completion, and test each causally},${version === undefined ? '' : `\n  version = {${version.replace(/[{}\\]/g, '')}},`}
}

${sources}`;
