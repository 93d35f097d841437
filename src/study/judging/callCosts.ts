/** What a question to a model is taken to cost before one was asked: for estimates. */

/** Seconds of a call to an endpoint, where none was timed yet. */
export const callSeconds = 2;
/** Tokens of a judge's question beside prompt and completion. */
export const questionTokens = 350;
export const replyTokens = 40;
/** One question for the behaviour, one for coherence. */
export const callsPerCompletion = 2;
