/** What a person does by form on their own page. Core judges who may; a refusal is shown on the page. */
import type { AccountKey } from '../../core/accounts.ts';
import { asGroupId, asPersonId } from '../../core/ids.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import type { Result } from '../../core/result.ts';
import {
  beginChatLink,
  confirmAccount,
  confirmMembership,
  endSession,
  finishChatLink,
  readNotes,
  unlinkAccount,
} from '../../app/accounts.ts';
import { accountPage, type Said } from './account.ts';
import type { Fields } from './change.ts';
import { page, seeOther } from './responses.ts';
import type { Visit } from './visit.ts';

async function shown(visit: Visit, said: Said): Promise<Response> {
  const { status, body } = await accountPage(visit, said);
  return page(status, body);
}

const after = async (visit: Visit, result: Result<unknown, Refusal>): Promise<Response> =>
  result.ok ? seeOther('/account') : shown(visit, { refused: result.error });

/** The account that a form names. */
function keyIn(fields: Fields): AccountKey | undefined {
  const [kind, issuer, subject] = ['kind', 'issuer', 'subject'].map((name) => fields.get(name));
  return (kind === 'oidc' || kind === 'slack' || kind === 'teams') &&
    issuer !== undefined &&
    subject !== undefined
    ? { kind, issuer, subject }
    : undefined;
}

const unnamed = refuse('input_invalid', 'This form names no account; open the page again.');
const notSure = refuse(
  'input_invalid',
  'Tick the box: without another way to sign in you would be locked out.',
);

export async function unlinked(visit: Visit, fields: Fields): Promise<Response> {
  const key = keyIn(fields);
  if (key === undefined) return shown(visit, { refused: unnamed });
  if (fields.get('sure') !== 'yes') return shown(visit, { refused: notSure });
  return after(visit, await unlinkAccount(visit.parts, visit.person, key));
}

export async function accountConfirmed(visit: Visit, fields: Fields): Promise<Response> {
  const key = keyIn(fields);
  return key === undefined
    ? shown(visit, { refused: unnamed })
    : after(visit, await confirmAccount(visit.parts, visit, key));
}

export const groupConfirmed = async (visit: Visit, fields: Fields): Promise<Response> =>
  after(
    visit,
    await confirmMembership(visit.parts, visit, {
      person: asPersonId(fields.get('person') ?? ''),
      group: asGroupId(fields.get('group') ?? ''),
      provider: fields.get('provider') ?? '',
    }),
  );

export const sessionEnded = async (visit: Visit, fields: Fields): Promise<Response> =>
  after(visit, await endSession(visit.parts, visit.person, fields.get('session') ?? ''));

export const notesRead = async (visit: Visit): Promise<Response> =>
  after(visit, await readNotes(visit.parts, visit.person));

/** The code is shown in the answer itself, and nowhere again. */
export async function codeAsked(visit: Visit): Promise<Response> {
  const code = await beginChatLink(visit.parts, visit.person);
  return shown(visit, code.ok ? { code: code.value } : { refused: code.error });
}

export const codeConfirmed = async (visit: Visit): Promise<Response> =>
  after(visit, await finishChatLink(visit.parts, visit));
