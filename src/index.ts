/** The library's table of contents. */
export * from './errors.ts';
export * from './tensor.ts';
