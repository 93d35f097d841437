/** What is wrong in a template, or with what it does with its values. */
export class JinjaError extends Error {}
