/** The forms of the section about being away: each ends in one use case of `app`, and shows the person's page again. */
import { asDelegationId, asPersonId } from '../../core/ids.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, type Result } from '../../core/result.ts';
import { endAway, goAway } from '../../app/absences.ts';
import { accountPage } from './account.ts';
import type { Fields } from './change.ts';
import { page, seeOther } from './responses.ts';
import type { Visit } from './visit.ts';

const dayMs = 24 * 3_600_000;

/** Midnight UTC of a day as a form names it; undefined for anything else. */
function dayOf(text: string | undefined): number | undefined {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text ?? '') ? Date.parse(`${text ?? ''}T00:00:00Z`) : Number.NaN;
  return Number.isFinite(ms) ? ms : undefined;
}

/** `POST /account/away`. */
export async function wentAway(visit: Visit, fields: Fields): Promise<Response> {
  const [from, until] = [dayOf(fields.get('from')), dayOf(fields.get('until'))];
  if (from === undefined || until === undefined)
    return after(visit, err(refuse('input_invalid', 'Say the two days: 2026-12-24.')));
  const to = asPersonId((fields.get('to') ?? '').trim());
  const by = { kind: 'person', id: visit.person, way: visit.way } as const;
  return after(
    visit,
    await goAway(visit.parts, by, { to, fromMs: from, untilMs: until + dayMs, idempotency: visit.once }),
  );
}

/** `POST /account/away-end`. */
export async function cameBack(visit: Visit, fields: Fields): Promise<Response> {
  const id = asDelegationId(fields.get('delegation') ?? '');
  return after(visit, await endAway(visit.parts, visit.person, id, visit.once));
}

async function after(visit: Visit, result: Result<unknown, Refusal>): Promise<Response> {
  if (result.ok) return seeOther('/account');
  const { status, body } = await accountPage(visit, { refused: result.error });
  return page(status, body);
}
