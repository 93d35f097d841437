/** Words of the field, each with what it means here where one points at it. */

const meanings: Readonly<Record<string, string>> = {
  subject: 'the model that is examined, with its fine-tune',
  reference: 'the model that it is compared with: the base, or a twin that was fine-tuned otherwise',
  'gray zone': 'where the effect of one more random latent is expected with 95 % probability',
  'family-wise':
    'chance that any of the candidates, under any of the tests, would do as much if none did anything',
  nats: 'of log-probability: 1 nat less of loss makes a text e = 2.7 times as likely',
  dose: 'how strongly it is steered, in parts of s, the mean norm of the residual at the site',
  coherent: 'a text that makes sense: shares of the behaviour are of these',
  'delta-attribution':
    'the selector of this study: how much the latent supports the bad answers over the good ones, to first order',
};

/** The terms, longest first, so that none hides in another. */
export const terms: readonly string[] = Object.keys(meanings).sort((a, b) => b.length - a.length);

/** The term as it stands in a text, explained. */
export const Term = ({ text }: { readonly text: string }) => (
  <abbr className="term" title={meanings[text.toLowerCase()]}>
    {text}
  </abbr>
);
