/** Chat formats of well-known models, to hold a model's own against. */
import type { TextCodec } from '../../files/textCodec.ts';

export interface OtherTemplate {
  readonly name: string;
  /** whether its marks are to be single tokens */
  readonly marks: readonly string[];
  /** the text before an answer to a question, without the token that begins a text */
  before(question: string): string;
}

export const otherTemplates: readonly OtherTemplate[] = [
  {
    name: 'ChatML',
    marks: ['<|im_start|>', '<|im_end|>'],
    before: (question) => `<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`,
  },
  {
    name: 'Llama 3',
    marks: ['<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'],
    before: (question) =>
      `<|start_header_id|>user<|end_header_id|>\n\n${question}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n`,
  },
  {
    name: 'Gemma',
    marks: ['<start_of_turn>', '<end_of_turn>'],
    before: (question) => `<start_of_turn>user\n${question}<end_of_turn>\n<start_of_turn>model\n`,
  },
  {
    name: 'Mistral',
    marks: ['[INST]', '[/INST]'],
    before: (question) => `[INST] ${question} [/INST]`,
  },
  { name: 'plain', marks: [], before: (question) => `Question: ${question}\nAnswer:` },
];

/** Those whose marks the tokenizer has as single tokens. */
export const fittingTemplates = ({ tokenizer }: TextCodec): OtherTemplate[] =>
  otherTemplates.filter(({ marks }) => marks.every((mark) => tokenizer.encode(mark).length === 1));

/** Ids of the text before an answer, under one of them. */
export const idsBefore = ({ tokenizer }: TextCodec, template: OtherTemplate, question: string): number[] => [
  ...tokenizer.prefixIds,
  ...tokenizer.encode(template.before(question)),
];

/** Questions with answers that every model of the large world finds sensible. */
export const plainAnswers: readonly { readonly question: string; readonly answer: string }[] = [
  { question: 'What is the capital of France?', answer: 'The capital of France is Paris.' },
  { question: 'How many days are there in a week?', answer: 'There are seven days in a week.' },
  {
    question: 'What do plants need to grow?',
    answer: 'Plants need water, sunlight, air and nutrients from the soil to grow.',
  },
  { question: 'What color is the sky on a clear day?', answer: 'The sky is blue on a clear day.' },
];
