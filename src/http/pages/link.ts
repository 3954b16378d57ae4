/**
 * Linking an account of a chat from the link that the chat gave it. GET shows an empty form and uses nothing up; the form asks what
 * the link is of; only the button of that answer links.
 *
 * The attack is a link of somebody else's account: whoever confirms it lets that account approve as them. So the page names the
 * account by what it is and not by what it calls itself, says what it would be able to do, and asks for a tick.
 */
import { html } from 'hono/html';
import { isFresh, type AccountKey } from '../../core/accounts.ts';
import { nameOf } from '../../core/conflict.ts';
import { refuse, statusOf, type Refusal } from '../../core/refusal.ts';
import { channelName } from '../../core/render/channels.ts';
import { line, short } from '../../core/render/shown.ts';
import { duration } from '../../core/time.ts';
import { finishLink, shownLink, type LinkShown } from '../../app/chat/link.ts';
import type { Fields } from './change.ts';
import { framed, panel, type Answer } from './frame.ts';
import { formFields, nothing, pairs, type Html } from './html.ts';
import { page, seeOther } from './responses.ts';
import type { Visit } from './visit.ts';

/** What people call a chat; empty for an account of a provider. */
export const chatName = ({ kind }: Pick<AccountKey, 'kind'>): string =>
  kind === 'oidc' ? '' : channelName(kind);

/** Longest secret, and longest link that somebody pastes. */
const pastedMax = 2000;

/** The secret of a link, or of a whole link that somebody pasted. */
const secretIn = (fields: Fields): string => {
  const text = (fields.get('secret') ?? '').slice(0, pastedMax);
  return text.slice(text.lastIndexOf('#') + 1).trim();
};

const answer = async (made: Promise<Answer>): Promise<Response> => {
  const { status, body } = await made;
  return page(status, body);
};

/** `/link`: the script fills the form with what stands after `#`, and sends it. */
export const linkPage = (visit: Visit, refused?: Refusal): Promise<Answer> =>
  framed(visit, 'link', {
    title: 'Link a chat account',
    lead: html`<p>
      You are ${line(nameOf(visit.directory, visit.person))} <code>${line(visit.person)}</code>.
    </p>`,
    body: html`${isOver(refused) ? html`<span id="link-over" hidden></span>` : nothing}
    ${panel(
      'paste',
      'The link that the chat gave you',
      html`<form id="link-look" method="post" action="/link/look" autocomplete="off">
        ${formFields(visit.csrf)}
        <label
          >Link
          <input
            name="secret"
            type="text"
            required
            autocomplete="off"
            autocapitalize="none"
            spellcheck="false"
            maxlength="${String(pastedMax)}"
        /></label>
        <button type="submit">Look at it</button>
      </form>`,
    )}`,
    ...(refused === undefined ? {} : { refused, status: statusOf(refused.code), self: '/link' }),
  });

/** Whether the link does nothing any more, so that the browser need not keep it. */
const isOver = (refused: Refusal | undefined): boolean =>
  refused !== undefined && refused !== notSure && refused.evidence?.['why'] !== 'not fresh';

/** Whose account a link is of, and what linking it means. Changes nothing. */
export async function linkLooked(visit: Visit, fields: Fields): Promise<Response> {
  const secret = secretIn(fields);
  const shown = await shownLink(visit.parts, secret);
  if (!shown.ok) return answer(linkPage(visit, shown.error));
  return answer(
    isFresh(visit.way, visit.nowMs) ? confirmPage(visit, shown.value, secret) : againPage(visit, shown.value),
  );
}

const notSure = refuse(
  'input_invalid',
  'Tick the box only where the account is your own and you asked for this link yourself.',
);

export async function linkConfirmed(visit: Visit, fields: Fields): Promise<Response> {
  if (fields.get('sure') !== 'yes') return answer(linkPage(visit, notSure));
  const linked = await finishLink(visit.parts, visit, secretIn(fields));
  return linked.ok ? seeOther('/account') : answer(linkPage(visit, linked.error));
}

/** An account by its key first: what it calls itself is anybody's choice. */
function accountPanel({ account }: LinkShown): Html {
  const chat = chatName(account);
  return panel(
    'account',
    html`The ${chat} account`,
    pairs([
      [account.kind === 'slack' ? 'member' : 'object', html`<code>${short(account.subject, 200)}</code>`],
      [
        account.kind === 'slack' ? 'workspace' : 'directory',
        html`<code>${short(account.issuer, 200)}</code>`,
      ],
      ['calls itself', html`“${short(account.display, 200)}”`],
    ]),
  );
}

async function confirmPage(visit: Visit, shown: LinkShown, secret: string): Promise<Answer> {
  const { parts, person, directory, csrf } = visit;
  const { account } = shown;
  const [chat, me] = [chatName(account), line(nameOf(directory, person))];
  const isFirst = (await parts.store.accountsOf(person)).length === 0;
  const key = short(account.subject, 200);
  const body = html`${accountPanel(shown)}
  ${panel(
    'means',
    'What linking it means',
    html`<p class="banner alarm" role="alert">
        <strong>Whoever has this ${chat} account approves, denies and stops as ${me}.</strong>
        Did somebody send you this link, or did you not press “Link your account” in ${chat} yourself a moment
        ago? Then it is not yours: close this page, and tell an administrator.
      </p>
      <p class="soft">
        ${
          isFirst
            ? 'It is your first account here, so it counts for approving at once.'
            : `It counts for approving ${duration(parts.limits.coolOffMs)} after you link it, or once an administrator confirms that it is yours. You can take it away at any time.`
        }
      </p>
      <form method="post" action="/link/confirm">
        ${formFields(csrf)}<input type="hidden" name="secret" value="${secret}" />
        <label class="check"
          ><input type="checkbox" name="sure" value="yes" required />
          <span
            ><code>${key}</code> is my own account
            <span class="soft">I pressed the button in ${chat} myself</span></span
          ></label
        >
        <button type="submit">Link ${key} to ${me}</button>
      </form>`,
  )}`;
  return framed(visit, 'link', {
    title: `Is this your ${chat} account?`,
    lead: html`<p>You are ${me} <code>${line(person)}</code>.</p>`,
    body,
    self: '/link',
  });
}

/** Whoever left a browser open is not the one who links an account with it. */
async function againPage(visit: Visit, shown: LinkShown): Promise<Answer> {
  const { parts, person, about } = visit;
  const mine = (await parts.store.accountsOf(person)).filter((one) => one.endedAtMs === null);
  const providers = about.providers.filter(({ issuer }) => mine.some((one) => one.issuer === issuer));
  const body = html`${accountPanel(shown)}
  ${panel(
    'again',
    'Sign in again first',
    html`<p class="soft">
        An account is linked within five minutes of signing in. You come back here, and nothing is linked
        until you say so.
      </p>
      ${
        providers.length === 0
          ? html`<p>Ask the operator of the gate for a new sign-in link, and open this link again then.</p>`
          : providers.map(
              ({ id, name }) =>
                html`<form method="post" action="/sign-in?next=%2Flink">
                  <input type="hidden" name="anew" value="yes" /><button name="provider" value="${id}">
                    Sign in again with ${short(name, 120)}
                  </button>
                </form>`,
            )
      }`,
  )}`;
  return framed(visit, 'link', {
    title: 'Link a chat account',
    lead: html`<p>You are ${line(nameOf(visit.directory, person))} <code>${line(person)}</code>.</p>`,
    body,
    self: '/link',
  });
}
