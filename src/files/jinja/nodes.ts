/** What a template is parsed into. Knows no value and no output. */

/** Arguments of a call, a filter or a test. */
export interface Arguments {
  readonly positional: readonly Expression[];
  readonly keywords: readonly (readonly [string, Expression])[];
  /** `*rest` and `**options` */
  readonly rest: Expression | undefined;
  readonly options: Expression | undefined;
}

export interface FilterNode {
  readonly type: 'filter';
  readonly name: string;
  /** undefined: the text of the block that the filter is put on */
  readonly operand: Expression | undefined;
  readonly args: Arguments;
}

export interface CallNode {
  readonly type: 'call';
  readonly callee: Expression;
  readonly args: Arguments;
}

export interface NameNode {
  readonly type: 'name';
  readonly name: string;
}

export interface SliceNode {
  readonly type: 'slice';
  readonly bounds: readonly (Expression | undefined)[];
}

export type Constant =
  | { readonly type: 'none' }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'integer'; readonly value: number }
  | { readonly type: 'float'; readonly value: number };

export type Expression =
  | Constant
  | NameNode
  | FilterNode
  | CallNode
  | SliceNode
  | { readonly type: 'list' | 'tuple'; readonly items: readonly Expression[] }
  | { readonly type: 'dict'; readonly pairs: readonly (readonly [Expression, Expression])[] }
  | { readonly type: 'attribute'; readonly object: Expression; readonly name: string }
  | { readonly type: 'item'; readonly object: Expression; readonly index: Expression }
  | {
      readonly type: 'test';
      readonly name: string;
      readonly operand: Expression;
      readonly args: Arguments;
    }
  | { readonly type: 'not' | 'negative' | 'positive'; readonly operand: Expression }
  | { readonly type: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | {
      readonly type: 'binary';
      readonly operator: Operator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly type: 'concatenation'; readonly parts: readonly Expression[] }
  | {
      readonly type: 'comparison';
      readonly first: Expression;
      readonly rest: readonly { readonly operator: Comparator; readonly operand: Expression }[];
    }
  | {
      readonly type: 'conditional';
      readonly test: Expression;
      readonly yes: Expression;
      readonly no: Expression | undefined;
    };

export type Operator = '+' | '-' | '*' | '/' | '//' | '%' | '**';
export type Comparator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in';

/** What a value is given to: a name, a name each of several, or an attribute of a namespace. */
export type Target =
  | NameNode
  | { readonly type: 'names'; readonly targets: readonly Target[] }
  | { readonly type: 'namespace'; readonly name: string; readonly attribute: string };

/** Names of a macro's or a caller's arguments; the last ones have a default. */
export interface Signature {
  readonly names: readonly string[];
  readonly defaults: readonly Expression[];
}

export interface ForNode {
  readonly type: 'for';
  readonly target: Target;
  readonly iterable: Expression;
  readonly test: Expression | undefined;
  readonly recursive: boolean;
  readonly body: Statements;
  readonly otherwise: Statements;
}

export interface MacroNode {
  readonly type: 'macro';
  readonly name: string;
  readonly signature: Signature;
  readonly body: Statements;
}

export type Statement =
  | ForNode
  | MacroNode
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'output'; readonly value: Expression }
  | { readonly type: 'set'; readonly target: Target; readonly value: Expression }
  | {
      readonly type: 'setBlock';
      readonly target: Target;
      readonly filter: FilterNode | undefined;
      readonly body: Statements;
    }
  | {
      readonly type: 'if';
      readonly branches: readonly { readonly test: Expression; readonly body: Statements }[];
      readonly otherwise: Statements;
    }
  | {
      readonly type: 'callBlock';
      readonly call: CallNode;
      readonly signature: Signature;
      readonly body: Statements;
    }
  | { readonly type: 'filterBlock'; readonly filter: FilterNode; readonly body: Statements }
  | {
      readonly type: 'with';
      readonly assignments: readonly (readonly [Target, Expression])[];
      readonly body: Statements;
    }
  /** a named block, which nothing overrides here, and the marks of what the assistant wrote */
  | { readonly type: 'block' | 'generation'; readonly body: Statements }
  | { readonly type: 'break' | 'continue' };

export type Statements = readonly Statement[];
