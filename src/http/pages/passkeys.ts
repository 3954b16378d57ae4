/**
 * Passkeys on pages: a person's own, with the form that enrols one; and for administrators what waits for a second person, and
 * granting an enrolment to somebody. What a ceremony needs is asked by script (assets/passkeys.ts); each change is a form.
 */
import { html } from 'hono/html';
import { nameOf } from '../../core/conflict.ts';
import { isAdmin } from '../../core/directory.ts';
import type { Passkey } from '../../core/passkey.ts';
import { statusOf, type Refusal } from '../../core/refusal.ts';
import type { Presentation } from '../../core/render/present.ts';
import { counted, line, short } from '../../core/render/shown.ts';
import { nameCharsMax } from '../../app/passkeys.ts';
import { noPasskeys } from '../../app/proof.ts';
import { usable } from '../../app/signing.ts';
import { framed, panel, type Answer } from './frame.ts';
import { chip, formFields, nothing, timeAgo, timeLeft, type Html } from './html.ts';
import type { Visit } from './visit.ts';

/** Passkeys of others that wait for a second person, as one page lists them. */
const waitingMax = 50;

/** What was just refused or granted. */
export interface Happened {
  readonly refused?: Refusal;
  /** A link for somebody, shown once. */
  readonly granted?: { readonly url: string; readonly person: string };
}

/** How the reader of an approval signs it: a sentence where they cannot, because of this gate or because they have no passkey. */
export async function signingOf(
  { parts, person, nowMs }: Visit,
  { reader }: Pick<Presentation, 'reader'>,
): Promise<{ readonly origin: string } | string> {
  const site = parts.passkeys?.site;
  if (site?.ok !== true) return (site?.error ?? noPasskeys).detail;
  if (reader?.passkey !== true) return site.value;
  const mine = await usable(parts, person);
  if (mine.length === 0) return 'The policy asks you to sign with a passkey, and you have none yet.';
  return mine.some((one) => one.countsFromMs <= nowMs)
    ? site.value
    : 'The policy asks you to sign with a passkey. Yours is new and does not count yet; an administrator may confirm it.';
}

/** `/passkeys`. */
export async function passkeysPage(visit: Visit, happened: Happened = {}): Promise<Answer> {
  const { refused, granted } = happened;
  const body = html`${granted === undefined ? nothing : grantedPanel(visit, granted)}
  ${await ownPasskeysPanel(visit)} ${await othersPanel(visit)}`;
  return framed(visit, 'account', {
    title: 'Passkeys',
    lead: html`<p>
      A passkey signs an approval where a policy asks for one. Your device verifies that it is you.
    </p>`,
    body,
    refused: refused ?? null,
    // Only after a POST: by GET the address may end with an enrolment, which the script still has to read.
    ...(refused === undefined && granted === undefined ? {} : { self: '/passkeys' }),
    ...(refused === undefined ? {} : { status: statusOf(refused.code) }),
  });
}

function grantedPanel({ directory }: Visit, { url, person }: NonNullable<Happened['granted']>): Html {
  const name = line(directory.people.find((one) => one.id === person)?.name ?? person);
  return panel(
    'granted',
    'Granted',
    html`<p>
        Give this link to ${name}, and to nobody else. It is shown once, is good for one passkey and for a
        day, and works only for ${name}, who must be signed in.
      </p>
      <p><code id="granted-link">${line(url)}</code></p>`,
  );
}

/** The reader's own passkeys and the form that adds one: a section of `/passkeys` and of the account's page. */
export async function ownPasskeysPanel(visit: Visit): Promise<Html> {
  const { parts, person } = visit;
  const mine = (await parts.store.passkeysOf(person)).filter((one) => one.revokedAtMs === null);
  const list =
    mine.length === 0
      ? html`<p class="empty">You have none.</p>`
      : html`<ul class="glances">
          ${mine.map((one) => passkeyRow(visit, one, false))}
        </ul>`;
  return panel('passkeys', 'Your passkeys', html`${list} ${enrolForm(visit, mine)}`);
}

function passkeyRow(visit: Visit, one: Passkey, others: boolean): Html {
  const { directory, nowMs, csrf } = visit;
  const counts = one.countsFromMs <= nowMs;
  const form = (action: string, text: string): Html =>
    html`<form method="post" action="/passkeys/${action}">
      ${formFields(csrf)}<input type="hidden" name="passkey" value="${one.id}" />
      <button class="quiet" type="submit">${text}</button>
    </form>`;
  return html`<li>
    <span class="what"
      >${others ? html`<strong>${line(nameOf(directory, one.person))}</strong> ` : nothing}${short(one.name, nameCharsMax)}
      <span class="soft">enrolled ${timeAgo(one.atMs, nowMs)}</span></span
    >
    <span class="aside"
      >${counts ? chip('good', 'counts') : html`${chip('waiting', 'does not count yet')} ${timeLeft(one.countsFromMs, nowMs)}`}</span
    >
    <span class="note"
      >${others && !counts && one.person !== visit.person ? form('confirm', 'It is theirs: let it count now') : nothing}${form('revoke', 'Revoke')}</span
    >
  </li>`;
}

function enrolForm(visit: Visit, mine: readonly Passkey[]): Html {
  const { parts, csrf } = visit;
  const site = parts.passkeys?.site;
  if (site?.ok !== true) return html`<p class="cannot">${line((site?.error ?? noPasskeys).detail)}</p>`;
  const how =
    mine.length === 0
      ? html`Your first passkey needs an enrolment that an administrator grants you, or that is made at the
          gate’s machine with <code>countersign passkey grant ${line(visit.person)}</code>.`
      : html`You sign with a passkey that you have, or paste an enrolment that an administrator granted you.`;
  return html`<form
    id="enrol"
    class="accept"
    method="post"
    action="/passkeys/enrol"
    data-ceremony="enrol"
    data-options="/passkeys/options"
    data-origin="${site.value.origin}"
  >
    ${formFields(csrf)}<input type="hidden" name="challenge" /><input type="hidden" name="credential" /><input
      type="hidden"
      name="vouch"
    />
    <p class="soft">${how} It counts at once where another person granted or confirms it, else later.</p>
    <label for="enrol-name">What you call it</label>
    <input id="enrol-name" type="text" name="name" maxlength="${nameCharsMax}" placeholder="My phone" />
    <label for="enrol-grant">Enrolment <span class="soft">where you were granted one</span></label>
    <input
      id="enrol-grant"
      type="text"
      name="grant"
      autocomplete="off"
      ${mine.length === 0 ? html` required` : nothing}
    />
    <p class="cannot" data-say role="alert" hidden></p>
    <noscript><p class="cannot">Enrolling a passkey needs scripts.</p></noscript>
    <button type="submit">Enrol a passkey</button>
  </form>`;
}

/** For administrators: what waits for a second person, and who could be granted an enrolment. */
async function othersPanel(visit: Visit): Promise<Html> {
  const { parts, directory, person, csrf } = visit;
  if (!isAdmin(directory, person)) return nothing;
  const waiting = (await parts.store.passkeysWaiting()).filter((one) => one.person !== person);
  const others = directory.people.filter((one) => one.id !== person && one.active !== false);
  return panel(
    'others',
    'Passkeys of others',
    html`${
        waiting.length === 0
          ? html`<p class="empty">No new passkey waits for a second person.</p>`
          : html`<p>
                ${counted(waiting.length, 'new passkey does', 'new passkeys do')} not count yet. Ask its
                person, not by a message that somebody else could have sent, before you let it count.
              </p>
              <ul class="glances">
                ${waiting.slice(0, waitingMax).map((one) => passkeyRow(visit, one, true))}
              </ul>`
      }
      <form id="grant" class="accept" method="post" action="/passkeys/grant">
        ${formFields(csrf)}
        <label for="grant-person">Let somebody enrol a passkey</label>
        <select id="grant-person" name="person" required>
          ${others.map((one) => html`<option value="${one.id}">${short(one.name, 120)}</option>`)}
        </select>
        <button type="submit">Grant one enrolment</button>
      </form>`,
  );
}
