/** What the forms about passkeys do, and the questions that their script asks. Each ends in one use case of `app`. */
import { nameOf } from '../../core/conflict.ts';
import { asPersonId, type ApprovalId } from '../../core/ids.ts';
import { refuse, statusOf, type Refusal } from '../../core/refusal.ts';
import { visibleLine } from '../../core/visible.ts';
import type { Result } from '../../core/result.ts';
import {
  beginEnrolment,
  confirmPasskey,
  enrol,
  grantEnrolment,
  revokePasskey,
  type Speaker,
} from '../../app/passkeys.ts';
import { beginSigning } from '../../app/signing.ts';
import { assertionOf, registrationOf } from '../api/passkeys.ts';
import type { Fields } from './change.ts';
import { jsonIn } from './form.ts';
import { passkeysPage } from './passkeys.ts';
import { page, seeOther } from './responses.ts';
import type { Visit } from './visit.ts';

const said = (status: number, body: object): Response =>
  Response.json(body, { status, headers: { 'cache-control': 'no-store' } });

/** For the script: plain data, or why not in words. */
const answered = <T extends object>(result: Result<T, Refusal>, more: object = {}): Response =>
  result.ok
    ? said(200, { ...result.value, ...more })
    : said(statusOf(result.error.code), { code: result.error.code, detail: result.error.detail });

/** `POST /approvals/ID/sign`: what a passkey signs for this decision. */
export async function signingAsked(visit: Visit, approval: ApprovalId, fields: Fields): Promise<Response> {
  const decision = fields.get('decision');
  return decision === 'approve' || decision === 'deny'
    ? answered(await beginSigning(visit.parts, visit.by, { approval, decision }))
    : answered({ ok: false, error: refuse('input_invalid', 'This form names no decision.') });
}

/** `POST /passkeys/options`: what a new passkey, and the one that vouches for it, sign. */
export async function enrolmentAsked(visit: Visit): Promise<Response> {
  const name = visibleLine(nameOf(visit.directory, visit.person));
  return answered(await beginEnrolment(visit.parts, visit.person), { name });
}

/** `POST /passkeys/enrol`. */
export async function enrolled(visit: Visit, fields: Fields): Promise<Response> {
  const grant = (fields.get('grant') ?? '').trim();
  const vouch = jsonIn(fields, 'vouch');
  const result = await enrol(visit.parts, visit.person, {
    name: fields.get('name') ?? '',
    challenge: fields.get('challenge') ?? '',
    registration: registrationOf(jsonIn(fields, 'credential')),
    grant: grant === '' ? null : grant,
    assertion: vouch === null ? null : assertionOf(vouch),
  });
  return after(visit, result);
}

/** `POST /passkeys/revoke`. */
export const revoked = async (visit: Visit, fields: Fields): Promise<Response> =>
  after(visit, await revokePasskey(visit.parts, visit.person, fields.get('passkey') ?? ''));

const speakerOf = ({ person, way }: Visit): Speaker => ({ id: person, way });

/** `POST /passkeys/confirm`. */
export const confirmed = async (visit: Visit, fields: Fields): Promise<Response> =>
  after(visit, await confirmPasskey(visit.parts, speakerOf(visit), fields.get('passkey') ?? ''));

/** `POST /passkeys/grant`: answers the page with the link on it, once; it is in no address. */
export async function granted(visit: Visit, fields: Fields): Promise<Response> {
  const person = fields.get('person') ?? '';
  const result = await grantEnrolment(visit.parts, speakerOf(visit), asPersonId(person));
  const { status, body } = await passkeysPage(
    visit,
    result.ok ? { granted: { url: result.value.url, person } } : { refused: result.error },
  );
  return page(status, body);
}

/** Done: back to the page by GET. Refused: the page as it is, with the words. */
async function after(visit: Visit, result: Result<null, Refusal>): Promise<Response> {
  if (result.ok) return seeOther('/passkeys');
  const { status, body } = await passkeysPage(visit, { refused: result.error });
  return page(status, body);
}
