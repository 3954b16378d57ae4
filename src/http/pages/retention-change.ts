/** What the forms of the page `/retention` do. Each ends in one use case of `app`, and answers with the page as it is then. */
import { asActionId, asApprovalId, asHoldId, asPersonId, type ActionId } from '../../core/ids.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { entriesRangeMax, type AskedErasure } from '../../core/retention.ts';
import { erasePayloads, placeHold, releaseHold } from '../../app/retention.ts';
import type { Fields } from './change.ts';
import { reasonIn } from './form.ts';
import { page, seeOther } from './responses.ts';
import { retentionPage, type Tried } from './retention.ts';
import type { Visit } from './visit.ts';

/** Done: to the page by GET. Refused: the page as it is now, with the words and what was typed. */
async function answered(
  visit: Visit,
  form: Tried['form'],
  { result, fields }: { readonly result: Result<unknown, Refusal>; readonly fields: Fields },
): Promise<Response> {
  if (result.ok) return seeOther('/retention');
  const now = { ...visit, nowMs: visit.parts.clock.nowMs() };
  const { status, body } = await retentionPage(now, { refusal: result.error, form, fields });
  return page(status, body);
}

/** An action by its own id or by its approval's; undefined where the text is neither. */
async function actionIn({ parts }: Visit, text: string): Promise<ActionId | undefined> {
  if (/^act_[0-9a-z]{1,80}$/.test(text)) return asActionId(text);
  if (!/^apr_[0-9a-z]{1,80}$/.test(text)) return undefined;
  return (await parts.store.caseBy({ approval: asApprovalId(text) }))?.asked.id;
}

const whatIn = (fields: Fields): string => (fields.get('what') ?? '').trim();

async function payloadsErased(visit: Visit, fields: Fields): Promise<Response> {
  const scope = await scopeIn(visit, whatIn(fields));
  const said = { reason: reasonIn(fields) ?? '', basis: fields.get('basis') ?? null };
  const result: Result<unknown, Refusal> =
    fields.get('sure') !== 'yes'
      ? err(refuse('input_invalid', 'Tick that you mean it: what is erased is gone for good.'))
      : scope.ok
        ? await erasePayloads(visit.parts, visit.person, {
            scope: scope.value,
            ...said,
            idempotency: visit.once,
          })
        : scope;
  return answered(visit, 'erase', { result, fields });
}

async function scopeIn(visit: Visit, text: string): Promise<Result<AskedErasure, Refusal>> {
  const range = /^(\d{1,15})(?:\s*[-–]\s*(\d{1,15}))?$/.exec(text);
  if (range !== null) {
    const from = Number(range[1]);
    return ok({ kind: 'entries', from, to: range[2] === undefined ? from : Number(range[2]) });
  }
  const action = await actionIn(visit, text);
  return action === undefined
    ? err(
        refuse(
          'not_found',
          `Name an action (act_…), an approval (apr_…), or entries (41-43, at most ${entriesRangeMax}).`,
        ),
      )
    : ok({ kind: 'action', action });
}

async function holdPlaced(visit: Visit, fields: Fields): Promise<Response> {
  const what = whatIn(fields);
  const isId = /^(?:act|apr)_/.test(what);
  const action = isId ? await actionIn(visit, what) : null;
  const result: Result<unknown, Refusal> =
    action === undefined
      ? err(refuse('not_found', 'There is no such action.'))
      : await placeHold(visit.parts, visit.person, {
          action,
          person: what === '' || isId ? null : asPersonId(what),
          reason: reasonIn(fields) ?? '',
          idempotency: visit.once,
        });
  return answered(visit, 'hold', { result, fields });
}

async function holdReleased(visit: Visit, fields: Fields): Promise<Response> {
  const hold = asHoldId(fields.get('hold') ?? '');
  const result = await releaseHold(visit.parts, visit.person, hold, {
    reason: reasonIn(fields) ?? '',
    idempotency: visit.once,
  });
  return answered(visit, 'release', { result, fields });
}

/** What the forms of this page do. */
export function retentionChanged(
  visit: Visit,
  form: 'erase' | 'holdPlace' | 'holdRelease',
  fields: Fields,
): Promise<Response> {
  switch (form) {
    case 'erase':
      return payloadsErased(visit, fields);
    case 'holdPlace':
      return holdPlaced(visit, fields);
    case 'holdRelease':
      return holdReleased(visit, fields);
  }
}
