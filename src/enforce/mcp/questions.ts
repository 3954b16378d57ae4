/**
 * Questions that an upstream asks the agent while an action runs (sampling, elicitation): the answer changes the effect
 * unseen by those who approved it. They pass only where policy permits `<operation>:input` for all that may be asking, and
 * each is on record, with the answer, before the upstream gets it.
 */
import { judgeable } from '../../app/authorize.ts';
import type { Parts } from '../../app/parts.ts';
import { refusalsPerMinute } from '../../app/told.ts';
import type { Case } from '../../core/case.ts';
import { aboutNothing, type EntryDraft } from '../../core/entry.ts';
import type { AgentId } from '../../core/ids.ts';
import { checkJson } from '../../core/check-json.ts';
import type { JsonObject, JsonValue } from '../../core/json.ts';
import { sha256Hex } from '../../core/sha256.ts';

/** Requests of an upstream that the agent's model or user would answer. */
export const questionMethods: ReadonlySet<string> = new Set(['sampling/createMessage', 'elicitation/create']);

/** Largest question or answer that an entry holds, in UTF-16 units of its JSON; of larger ones it holds the digest. */
const heldCharsMax = 8 * 1024;

export interface Question {
  readonly method: string;
  readonly params: JsonObject;
  readonly agent: AgentId;
  /** What may be asking: the call on whose stream it came; all that run, where the transport does not tell. */
  readonly cases: readonly Case[];
}

/** Whether the question may reach the agent. Without a running call there is no action that policy could permit it for. */
export const maySendQuestion = (parts: Parts, question: Question): boolean =>
  question.cases.length > 0 &&
  question.cases.every((held) =>
    parts.policy.permitsQuestion(
      judgeable(held.asked.action),
      parts.clock.nowMs(),
      held.asked.verdict.recent,
    ),
  );

/** Writes a question down; false where that failed, and then it must not pass. Of a flood of refused ones, only the first. */
export async function recordQuestion(
  parts: Parts,
  type: 'question.refused' | 'question.passed',
  question: Question,
  answer: JsonValue,
): Promise<boolean> {
  const { method, params, agent } = question;
  if (type === 'question.refused') {
    const count = parts.pace.told.count(`${agent} questions`, parts.clock.nowMs());
    if (count > refusalsPerMinute) return true;
  }
  const data: JsonObject = {
    method,
    question: brief(params),
    ...(type === 'question.passed' ? { answer: brief(answer) } : {}),
  };
  const by =
    type === 'question.passed' ? ({ kind: 'agent', id: agent } as const) : ({ kind: 'gate' } as const);
  const about = question.cases.map((held): EntryDraft => ({
    type,
    by,
    about: {
      action: held.asked.id,
      approval: held.approval?.id ?? null,
      execution: held.execution?.id ?? null,
    },
    subject: held.asked.subject,
    data,
  }));
  const entries = about.length > 0 ? about : [{ type, by, about: aboutNothing, subject: null, data }];
  const result = await parts.store.change({ kind: 'record', entries });
  return result.ok;
}

/** The value, or its digest where it is large or has no exact form. */
function brief(value: JsonValue): JsonValue {
  const text = JSON.stringify(value);
  const checked = checkJson(value);
  return checked.ok && text.length <= heldCharsMax
    ? checked.value
    : { sha256: sha256Hex(text), chars: text.length };
}
