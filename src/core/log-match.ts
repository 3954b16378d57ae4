/**
 * Whether an entry of the log is what somebody looks for, judged by what people see of it and of the action that it is about:
 * secrets are masked, so that nobody can guess one by searching for its beginning. The store narrows in SQL and then asks here;
 * where a policy hides things from the reader, `app` asks here alone.
 */
import type { Action } from './action.ts';
import type { Asked } from './case.ts';
import type { Entry } from './entry.ts';
import { maskSecrets, maskText } from './secrets.ts';
import type { Verdict } from './verdict.ts';

/** What is looked for; the same as `LogFilter` of ports/overview.ts, without its times. */
export interface Looked {
  readonly text: string | null;
  readonly type: Entry['type'] | null;
  readonly agent: string | null;
  readonly operation: string | null;
  readonly person: string | null;
  readonly resource: string | null;
  readonly verdict: Verdict['effect'] | null;
  readonly policy: string | null;
}

/** A text as it stands inside a JSON string, in lower case. */
export const asWritten = (wanted: string): string => JSON.stringify(wanted).slice(1, -1).toLowerCase();

/** @param lowered what `asWritten` made. */
export const entryHolds = (entry: Entry, lowered: string): boolean =>
  shownEntry(entry).toLowerCase().includes(lowered);

const shownEntry = ({ type, by, about, data }: Entry): string =>
  JSON.stringify([type, by, about, maskSecrets(data)]);

/** What an action holds, as people see it. @param lowered what `asWritten` made. */
export function actionHolds(action: Action, lowered: string): boolean {
  const { agent, operation, resource, input, reason, session } = action;
  const shown = maskSecrets({ agent, operation, resource: { ...resource }, input, reason, session });
  return JSON.stringify(shown).toLowerCase().includes(lowered);
}

/** By its whole id. One that holds what looks like a secret is never found: its mask is all that anybody sees. */
export const isResource = ({ resource }: Pick<Action, 'resource'>, wanted: string): boolean =>
  resource.id === wanted && maskText(wanted) === wanted;

/** Whether a policy had a part in a verdict. */
const hadPart = (verdict: Verdict, policy: string): boolean =>
  verdict.explanation.policies.some((one) => one.id === policy) ||
  (verdict.effect === 'review' && verdict.requirements.some((one) => one.id === policy));

/** Everything at once. @param asked the action that it is about, as the reader may see it; null: none, or not to be seen. */
export function entryFits(
  entry: Entry,
  asked: Pick<Asked, 'action' | 'verdict'> | null,
  looked: Looked,
): boolean {
  const { type, by } = entry;
  const shown = shownEntry(entry);
  const names = (name: string, value: string): boolean =>
    shown.includes(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const lowered = looked.text === null ? null : asWritten(looked.text);
  return (
    (looked.type === null || looked.type === type) &&
    (lowered === null ||
      shown.toLowerCase().includes(lowered) ||
      (asked !== null && actionHolds(asked.action, lowered))) &&
    (looked.person === null || shown.includes(JSON.stringify(looked.person))) &&
    (looked.agent === null ||
      asked?.action.agent === looked.agent ||
      names('agent', looked.agent) ||
      (by.kind === 'agent' && by.id === looked.agent)) &&
    (looked.operation === null ||
      asked?.action.operation === looked.operation ||
      names('operation', looked.operation)) &&
    (looked.resource === null || (asked !== null && isResource(asked.action, looked.resource))) &&
    (looked.verdict === null || asked?.verdict.effect === looked.verdict) &&
    (looked.policy === null ||
      names('policy', looked.policy) ||
      (asked !== null && hadPart(asked.verdict, looked.policy)))
  );
}
