/** Management answers an exception of the evidence: an entry, and nothing else changes. */
import type { AnswerExceptionCommand } from '../command-log.ts';
import { isOperator } from '../directory.ts';
import { aboutNothing } from '../entry.ts';
import { answerCharsMax, isExceptionName } from '../evidence/exception-names.ts';
import type { Loaded, Step } from '../loaded.ts';
import { refuse, type Refusal } from '../refusal.ts';
import { data, done, refused } from './common.ts';

export function answerException(command: AnswerExceptionCommand, { directory }: Loaded): Step {
  const { by, exception } = command;
  if (!isOperator(directory, by))
    return refused(refuse('not_permitted', 'Only operators answer exceptions of the evidence.'));
  const text = command.text.trim();
  const refusal = refusesAnswer(exception, text);
  if (refusal !== undefined) return refused(refusal);
  return {
    ...done,
    entries: [
      {
        type: 'evidence.answered',
        by: { kind: 'person', id: by },
        about: aboutNothing,
        subject: null,
        data: data({ exception, text }),
      },
    ],
  };
}

function refusesAnswer(exception: string, text: string): Refusal | undefined {
  const wrong = (detail: string, pointer: string): Refusal => refuse('input_invalid', detail, { pointer });
  if (!isExceptionName(exception))
    return wrong('Name the exception as the evidence does, such as downtime/1042.', '/exception');
  if (text === '') return refuse('reason_required', 'Say in words what you answer.');
  if (!text.isWellFormed()) return wrong('The answer is not valid Unicode.', '/text');
  return Array.from(text).length > answerCharsMax
    ? wrong(`An answer has at most ${answerCharsMax} characters.`, '/text')
    : undefined;
}
