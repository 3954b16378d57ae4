/** What of other people waits for a second person: new accounts and claimed groups, for administrators to confirm. */
import { html } from 'hono/html';
import type { Account, AccountKey } from '../../core/accounts.ts';
import type { Membership } from '../../core/claims.ts';
import { nameOf } from '../../core/conflict.ts';
import { adminsOf, countsIn } from '../../core/directory.ts';
import type { PersonId } from '../../core/ids.ts';
import { line, short, type Shown } from '../../core/render/shown.ts';
import { panel } from './frame.ts';
import { formFields, nothing, timeLeft, type Html } from './html.ts';
import { chatName } from './link.ts';
import type { Visit } from './visit.ts';

/** What people call the provider of an issuer; the issuer itself where it is configured no more. */
export const providerName = (visit: Visit, issuer: string): Shown =>
  short(visit.about.providers.find((one) => one.issuer === issuer)?.name ?? issuer, 120);

/** The hidden fields that name an account in a form. */
export const keyFields = ({ kind, issuer, subject }: AccountKey): Html =>
  html`<input type="hidden" name="kind" value="${kind}" /><input
      type="hidden"
      name="issuer"
      value="${issuer}"
    /><input type="hidden" name="subject" value="${subject}" />`;

/** Nothing for whoever may confirm nothing, and where nothing waits. */
export async function waitingPanel(visit: Visit): Promise<Html> {
  const { parts, person, directory, nowMs } = visit;
  if (!countsIn(directory, person, adminsOf(directory), nowMs)) return nothing;
  const { accounts, memberships } = await parts.store.unconfirmed();
  const others = <One extends { readonly person: PersonId }>(all: readonly One[]): readonly One[] =>
    all.filter((one) => one.person !== person);
  const rows = [
    ...others(accounts).map((one) => waitingAccount(visit, one)),
    ...others(memberships).map((one) => waitingClaim(visit, one)),
  ];
  if (rows.length === 0) return nothing;
  return panel(
    'waiting',
    'Waits for a second person',
    html`<p class="soft">Ask them, and not by a message that their account could have written.</p>
      <ul class="glances">
        ${rows}
      </ul>`,
  );
}

const waitingRow = (
  visit: Visit,
  of: { readonly person: PersonId; readonly countsFromMs: number },
  what: Html,
  form: Html,
): Html =>
  html`<li>
    <span class="what"><strong>${line(nameOf(visit.directory, of.person))}</strong> ${what}</span>
    <span class="aside">${timeLeft(of.countsFromMs, visit.nowMs)}</span>
    <span class="note">${form}</span>
  </li>`;

const waitingAccount = (visit: Visit, one: Account): Html =>
  waitingRow(
    visit,
    one,
    one.kind === 'oidc'
      ? html`added ${short(one.display, 120)} <span class="soft">${providerName(visit, one.issuer)}</span>`
      : // What an account of a chat calls itself is anybody's choice.
        html`added ${chatName(one)} <code>${short(one.subject, 120)}</code>
          <span class="soft"
            >${providerName(visit, one.issuer)}, calls itself “${short(one.display, 120)}”</span
          >`,
    html`<form method="post" action="/account/confirm">
      ${formFields(visit.csrf)}${keyFields(one)}<button class="quiet" type="submit">
        It is theirs: let it count now
      </button>
    </form>`,
  );

const waitingClaim = (visit: Visit, one: Membership): Html =>
  waitingRow(
    visit,
    one,
    html`is in ${line(one.group)} <span class="soft">says ${providerName(visit, one.provider)}</span>`,
    html`<form method="post" action="/account/confirm-group">
      ${formFields(visit.csrf)}<input type="hidden" name="person" value="${one.person}" /><input
        type="hidden"
        name="group"
        value="${one.group}"
      /><input type="hidden" name="provider" value="${one.provider}" /><button class="quiet" type="submit">
        That is right: let it count now
      </button>
    </form>`,
  );
