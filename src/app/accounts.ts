/** What people do about how they are known: accounts taken away and confirmed, sessions ended, codes for chats, notes read. */
import { sameAccount, type AccountKey, type Way } from '../core/accounts.ts';
import { chatCodeHash, chatCodeMs, chatCodeOf, chatKind } from '../core/chat-code.ts';
import type { PeopleCommand, Vouched } from '../core/command-people.ts';
import type { GroupId, PersonId } from '../core/ids.ts';
import { isJsonObject } from '../core/json.ts';
import { readJson } from '../core/read-json.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Parts } from './parts.ts';
import { refusalOf } from './review.ts';

async function done(parts: Parts, command: PeopleCommand): Promise<Result<null, Refusal>> {
  const result = await parts.store.change(command);
  return result.ok ? ok(null) : err(refusalOf(result.error));
}

/** Takes one of the person's accounts away, and ends what was opened with it. */
export const unlinkAccount = (
  parts: Parts,
  person: PersonId,
  account: AccountKey,
): Promise<Result<null, Refusal>> => done(parts, { kind: 'unlinkAccount', person, account });

/** An admin says that somebody else's new account is theirs. */
export const confirmAccount = (
  parts: Parts,
  by: { readonly person: PersonId; readonly way: Way },
  account: AccountKey,
): Promise<Result<null, Refusal>> =>
  done(parts, { kind: 'confirmAccount', account, by: by.person, way: by.way });

/** An admin says that what a provider claims of somebody else is right. */
export const confirmMembership = (
  parts: Parts,
  by: { readonly person: PersonId; readonly way: Way },
  of: { readonly person: PersonId; readonly group: GroupId; readonly provider: string },
): Promise<Result<null, Refusal>> =>
  done(parts, { kind: 'confirmMembership', ...of, by: by.person, way: by.way });

/** Ends one session of the person's own. */
export const endSession = (parts: Parts, person: PersonId, id: string): Promise<Result<null, Refusal>> =>
  done(parts, { kind: 'endSessions', person, which: { kind: 'one', id } });

export const readNotes = (parts: Parts, person: PersonId): Promise<Result<null, Refusal>> =>
  done(parts, { kind: 'seenNotes', person });

/** Draws of a code that may not serve, each with a chance of 1 in 46. */
const drawsMax = 20;

/** A code that an account of a chat must send within ten minutes; shown once. */
export async function beginChatLink(parts: Parts, person: PersonId): Promise<Result<string, Refusal>> {
  let code: string | null = null;
  for (let draw = 0; code === null && draw < drawsMax; draw += 1) code = chatCodeOf(parts.random.bytes(4));
  if (code === null) throw new Error('the random source repeats itself');
  const begun = await parts.store.change({
    kind: 'begin',
    begun: {
      hash: chatCodeHash(code),
      kind: chatKind,
      person,
      body: '',
      expiresAtMs: parts.clock.nowMs() + chatCodeMs,
    },
  });
  return begun.ok ? ok(code) : err(refusalOf(begun.error));
}

/** The account of a chat that has sent the person's newest code; null where none has. */
export async function sentAccount(
  parts: Pick<Parts, 'store'>,
  person: PersonId,
): Promise<{ readonly account: Vouched; readonly code: string } | null> {
  const row = await parts.store.chatCodeOf(person);
  if (row === undefined || row.usedAtMs === null) return null;
  const account = accountIn(row.body);
  if (account === null) return null;
  const known = (await parts.store.accountsOf(person)).find((one) => sameAccount(one, account));
  return known?.endedAtMs === null ? null : { account, code: row.hash };
}

/** The account in the body of a begun thing, as core/steps/chat-codes.ts writes it; null for any other text. */
export function accountIn(body: string): Vouched | null {
  const read = readJson(body);
  if (!read.ok || !isJsonObject(read.value)) return null;
  const { kind, issuer, subject, display } = read.value;
  return (kind === 'slack' || kind === 'teams') &&
    typeof issuer === 'string' &&
    typeof subject === 'string' &&
    typeof display === 'string'
    ? { kind, issuer, subject, display }
    : null;
}

/** The person says that the account which sent their code is theirs. */
export async function finishChatLink(
  parts: Parts,
  by: { readonly person: PersonId; readonly way: Way },
): Promise<Result<null, Refusal>> {
  const sent = await sentAccount(parts, by.person);
  if (sent === null) return err(refuse('not_found', 'No account has sent your code; ask for a new one.'));
  return done(parts, {
    kind: 'linkAccount',
    person: by.person,
    way: by.way,
    account: sent.account,
    code: sent.code,
    coolOffMs: parts.limits.coolOffMs,
  });
}
