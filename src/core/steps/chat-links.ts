/** The person's end of a link that a chat gave to an account of it (core/chat-link.ts): what it proves, and that it does so once. */
import { spentFor } from '../begun.ts';
import { chatLinkKind } from '../chat-link.ts';
import type { LinkAccountCommand } from '../command-people.ts';
import type { Loaded, Write } from '../loaded.ts';
import { refuse, type Refusal } from '../refusal.ts';
import { sentText } from './chat-codes.ts';

/** Why an account of a chat cannot be attached by this link; undefined where it can. */
export function refusesLinkOf(
  { link, account }: LinkAccountCommand & { readonly link: string },
  loaded: Loaded,
): Refusal | undefined {
  const row = loaded.begun.find((one) => one.hash === link);
  // Nobody's until somebody uses it: who that is, they prove here.
  const spent = spentFor(row, chatLinkKind, { person: null, nowMs: loaded.nowMs });
  // What was confirmed is what the link was given to, and nothing that a form has made of it.
  const why = spent ?? (row?.body === sentText(account, account.display) ? undefined : 'another account');
  return why === undefined
    ? undefined
    : refuse(
        'not_permitted',
        'This link was used, is too old or never existed; press the button in the chat again for a new one.',
        { why: `link: ${why}` },
      );
}

/** With the account that it has attached, a link is used up. */
export function usedLink({ link }: LinkAccountCommand, loaded: Loaded): readonly Write[] {
  const row = link === undefined ? undefined : loaded.begun.find((one) => one.hash === link);
  return row === undefined ? [] : [{ row: 'begun', begun: { ...row, usedAtMs: loaded.nowMs } }];
}
