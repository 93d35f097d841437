/** A template's tokens, one after the other. */
import { JinjaError } from './errors.ts';
import type { Token } from './lexer.ts';

export class TokenStream {
  private at = 0;
  private readonly tokens: readonly Token[];

  /** `tokens` ends with one of type eof. */
  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  get current(): Token {
    return this.tokens[Math.min(this.at, this.tokens.length - 1)]!;
  }

  get following(): Token {
    return this.tokens[Math.min(this.at + 1, this.tokens.length - 1)]!;
  }

  /** The current token; the one after it is then current. */
  next(): Token {
    const token = this.current;
    this.at++;
    return token;
  }

  isName(name: string): boolean {
    return this.current.type === 'name' && this.current.text === name;
  }

  isOperator(operator: string): boolean {
    return this.current.type === 'operator' && this.current.text === operator;
  }

  skipName(name: string): boolean {
    return this.isName(name) && this.next() !== undefined;
  }

  skipOperator(operator: string): boolean {
    return this.isOperator(operator) && this.next() !== undefined;
  }

  expectType(type: Token['type']): Token {
    return this.current.type === type ? this.next() : this.unexpected(type.replace('_', ' of '));
  }

  expectName(name: string): void {
    if (!this.skipName(name)) this.unexpected(name);
  }

  expectOperator(operator: string): void {
    if (!this.skipOperator(operator)) this.unexpected(operator);
  }

  /** Whether a list without brackets ends here: with its tag, with `)` or before the name `end`. */
  isEnd(end?: string): boolean {
    const { type } = this.current;
    if (type === 'variable_end' || type === 'block_end' || this.isOperator(')')) return true;
    return end !== undefined && this.isName(end);
  }

  unexpected(expected: string): never {
    throw new JinjaError(`expected ${expected}, found ${JSON.stringify(this.current.text)}`);
  }
}
