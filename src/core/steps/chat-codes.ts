/** The two ends of a chat's code: the account that sends it, and the person who says that it is theirs. */
import type { AccountKey } from '../accounts.ts';
import type { Begun } from '../begun.ts';
import { chatCodeMs, chatKind, chatTriesHash, chatTriesKind, chatTriesMax } from '../chat-code.ts';
import type { LinkAccountCommand, SendCodeCommand } from '../command-people.ts';
import type { Loaded, Needs, Step } from '../loaded.ts';
import { ok } from '../result.ts';
import { refuse, type Refusal } from '../refusal.ts';
import { done, refused } from './common.ts';

export const codeNeeds = ({ code, account }: SendCodeCommand): Needs => ({
  rows: 'nothing',
  begun: [code, chatTriesHash(account)],
});

/** The text of a code that was sent: by which account. */
export const sentText = ({ kind, issuer, subject }: AccountKey, display: string): string =>
  JSON.stringify({ kind, issuer, subject, display });

/** An account of a chat sends a code. Which person it is for is not said to it. */
export function sendCode(command: SendCodeCommand, loaded: Loaded): Step {
  const { code, account } = command;
  const { nowMs } = loaded;
  const tries = loaded.begun.find((one) => one.hash === chatTriesHash(account));
  const open = tries !== undefined && nowMs < tries.expiresAtMs ? Number(tries.body) : 0;
  if (open >= chatTriesMax)
    return refused(refuse('quota', 'Too many wrong codes came from this account; try again in ten minutes.'));
  const row = loaded.begun.find((one) => one.hash === code && one.kind === chatKind);
  if (row === undefined || row.usedAtMs !== null || nowMs >= row.expiresAtMs) {
    const counted: Begun = {
      hash: chatTriesHash(account),
      kind: chatTriesKind,
      person: null,
      body: String(open + 1),
      expiresAtMs: open === 0 ? nowMs + chatCodeMs : (tries?.expiresAtMs ?? nowMs),
      usedAtMs: null,
    };
    // Done, so that the try is counted; the answer says that there was no such code.
    return {
      ...done,
      answer: ok({ kind: 'begun', begun: counted }),
      writes: [{ row: 'chatCode', begun: counted }],
    };
  }
  const sent: Begun = { ...row, body: sentText(account, account.display), usedAtMs: nowMs };
  return { ...done, answer: ok({ kind: 'begun', begun: sent }), writes: [{ row: 'chatCode', begun: sent }] };
}

/** Why an account of a chat cannot be attached by this code; undefined where it can. */
export function refusesCode(
  { code, person, account }: LinkAccountCommand & { readonly code: string },
  loaded: Loaded,
): Refusal | undefined {
  const row = loaded.begun.find((one) => one.hash === code && one.kind === chatKind);
  const sent =
    row?.person === person &&
    row.usedAtMs !== null &&
    loaded.nowMs < row.expiresAtMs &&
    row.body === sentText(account, account.display);
  return sent
    ? undefined
    : refuse('not_permitted', 'No account has sent this code, or it is too old; ask for a new one.', {
        why: 'code',
      });
}
