/**
 * A person's own page: how they are known here. Accounts at providers, passkeys, groups that providers claim, who stands in for
 * them, their sessions, and what they were told. Administrators see here what waits for a second person.
 */
import { html } from 'hono/html';
import { sessionIdOf, type SessionRow, type Via } from '../../core/accounts.ts';
import { nameOf } from '../../core/conflict.ts';
import { channelName } from '../../core/render/channels.ts';
import { noteWords } from '../../core/render/note-words.ts';
import { line, listed, short } from '../../core/render/shown.ts';
import { statusOf, type Refusal } from '../../core/refusal.ts';
import { sentAccount } from '../../app/accounts.ts';
import { keyFields, providerName, waitingPanel } from './account-waiting.ts';
import { awaySection } from './away.ts';
import { framed, panel, type Answer } from './frame.ts';
import { chip, formFields, nothing, timeAgo, timeLeft, type Html } from './html.ts';
import { chatName } from './link.ts';
import { ownPasskeysPanel } from './passkeys.ts';
import type { Visit } from './visit.ts';

/** Notes on the page; older ones are in the log. */
const notesMax = 50;

/** What the page says once: a code for a chat, or what was refused. */
export interface Said {
  readonly code?: string;
  readonly refused?: Refusal;
}

export async function accountPage(visit: Visit, said: Said = {}): Promise<Answer> {
  const { directory, person } = visit;
  const { refused } = said;
  const body = html`${await notesPanel(visit)} ${await accountsPanel(visit)} ${await chatPanel(visit, said)}
  ${await ownPasskeysPanel(visit)} ${await groupsPanel(visit)} ${await awaySection(visit)}
  ${await sessionsPanel(visit)} ${await waitingPanel(visit)}`;
  return framed(visit, 'account', {
    title: 'Your account',
    lead: html`<p>
      ${line(nameOf(directory, person))} <code>${line(person)}</code>, signed in
      ${viaWords(visit, visit.way.via)}.
      ${visit.way.countsFromMs > visit.nowMs ? html`${chip('waiting', 'cannot approve yet')} ${timeLeft(visit.way.countsFromMs, visit.nowMs)}` : nothing}
    </p>`,
    body,
    ...(refused === undefined ? {} : { refused, status: statusOf(refused.code), self: '/account' }),
  });
}

function viaWords(visit: Visit, via: Via): Html {
  switch (via.kind) {
    case 'link':
      return html`by a one-time link`;
    case 'token':
      return html`by a token`;
    case 'account':
      return html`with ${providerName(visit, via.account.issuer)}`;
  }
}

async function notesPanel(visit: Visit): Promise<Html> {
  const { parts, person, directory, nowMs, csrf } = visit;
  const notes = await parts.store.notesOf(person, notesMax);
  if (notes.length === 0) return nothing;
  const unread = notes.some((one) => one.seenAtMs === null);
  return panel(
    'notes',
    'What you were told',
    html`<p class="soft">If you did not do this yourself, sign out everywhere and tell an administrator.</p>
      <ul class="glances">
        ${notes.map(
          (one) =>
            html`<li>
              <span class="what">${noteWords(one, directory)}</span>
              <span class="aside"
                >${one.seenAtMs === null ? chip('waiting', 'new') : nothing} ${timeAgo(one.atMs, nowMs)}</span
              >
            </li>`,
        )}
      </ul>
      ${
        unread
          ? html`<form method="post" action="/account/notes">
              ${formFields(csrf)}<button class="quiet" type="submit">I have read them</button>
            </form>`
          : nothing
      }`,
  );
}

const counting = (countsFromMs: number, nowMs: number): Html =>
  countsFromMs <= nowMs
    ? chip('good', 'counts')
    : html`${chip('waiting', 'does not count yet')} ${timeLeft(countsFromMs, nowMs)}`;

async function accountsPanel(visit: Visit): Promise<Html> {
  const { parts, person, nowMs, csrf, about } = visit;
  const mine = (await parts.store.accountsOf(person)).filter((one) => one.endedAtMs === null);
  const rows = mine.map(
    (one) =>
      html`<li>
        <span class="what"
          >${chatName(one)} ${providerName(visit, one.issuer)}
          ${one.kind === 'oidc' ? nothing : html`<code>${short(one.subject, 120)}</code>`}
          <span class="soft">${short(one.display, 120)}</span></span
        >
        <span class="aside">${counting(one.countsFromMs, nowMs)}</span>
        <details class="note">
          <summary>Take it away…</summary>
          <form method="post" action="/account/unlink">
            ${formFields(csrf)}${keyFields(one)}
            <label class="check"
              ><input type="checkbox" name="sure" value="yes" required />
              <span
                >I can sign in another way
                <span class="soft">its sessions end at once; nobody else ever gets this account</span></span
              ></label
            >
            <button type="submit">Take it away</button>
          </form>
        </details>
      </li>`,
  );
  return panel(
    'accounts',
    'Your accounts',
    html`${
      mine.length === 0
        ? html`<p class="empty">None is linked to you.</p>`
        : html`<ul class="glances">
            ${rows}
          </ul>`
    }
    ${
      about.providers.length === 0
        ? html`<p class="soft">No provider is configured.</p>`
        : html`<p class="soft">
              You prove both sides: here you signed in within the last five minutes, there you sign in now.
              Your first account counts at once, another one later or once an administrator confirms it.
            </p>
            ${about.providers.map(
              ({ id, name }) =>
                html`<form method="post" action="/sign-in/link">
                  ${formFields(csrf)}<button name="provider" value="${id}">Link ${short(name, 120)}</button>
                </form>`,
            )}
            ${about.providers
              .filter(({ issuer }) => mine.some((one) => one.issuer === issuer))
              .map(
                ({ id, name }) =>
                  html`<form method="post" action="/sign-in?next=%2Faccount">
                    <input type="hidden" name="anew" value="yes" /><button
                      class="quiet"
                      name="provider"
                      value="${id}"
                    >
                      Sign in again with ${short(name, 120)}
                    </button>
                  </form>`,
              )}`
    }`,
  );
}

/** Only where a chat is configured that could send a code. */
async function chatPanel(visit: Visit, { code }: Said): Promise<Html> {
  const { parts, person, csrf, about } = visit;
  const chats = about.channels.flatMap((one) =>
    one === 'slack' || one === 'teams' ? [channelName(one)] : [],
  );
  if (chats.length === 0) return nothing;
  const sent = await sentAccount(parts, person);
  return panel(
    'chat',
    listed(chats),
    html`<p class="soft">
        Press “Link your account” where the chat offers it. Or show a code here, send it to the gate’s app in
        the chat, and confirm here that the account is yours.
      </p>
      ${
        code === undefined
          ? nothing
          : html`<p>
              Send this code to the gate’s app in the chat within ten minutes:
              <strong id="chat-code">${code}</strong>
            </p>`
      }
      ${
        sent === null
          ? nothing
          : html`<p>
                ${chatName(sent.account)} <strong>${short(sent.account.subject, 200)}</strong> of
                ${short(sent.account.issuer, 120)}, which calls itself “${short(sent.account.display, 200)}”,
                sent your code. Is that your own account?
              </p>
              <form method="post" action="/account/code-confirm">
                ${formFields(csrf)}<button type="submit">Yes, link this account</button>
              </form>`
      }
      <form method="post" action="/account/code">
        ${formFields(csrf)}<button type="submit">Show a code for a chat account</button>
      </form>`,
  );
}

async function groupsPanel(visit: Visit): Promise<Html> {
  const { parts, person, nowMs } = visit;
  const claims = await parts.store.membershipsOf(person);
  if (claims.length === 0) return nothing;
  return panel(
    'claims',
    'Groups that a provider claims',
    html`<ul class="glances">
      ${claims.map(
        (one) =>
          html`<li>
            <span class="what"
              >${line(one.group)} <span class="soft">${providerName(visit, one.provider)}</span></span
            >
            <span class="aside">${counting(one.countsFromMs, nowMs)}</span>
          </li>`,
      )}
    </ul>`,
  );
}

async function sessionsPanel(visit: Visit): Promise<Html> {
  const { parts, person, csrf } = visit;
  const sessions = await parts.store.sessionsOf(person);
  return panel(
    'sessions',
    'Where you are signed in',
    html`<ul class="glances">
        ${sessions.map((one) => sessionRow(visit, one))}
      </ul>
      <form method="post" action="/sign-out">
        ${formFields(csrf)}<input type="hidden" name="everywhere" value="yes" /><button type="submit">
          Sign out everywhere
        </button>
      </form>`,
  );
}

function sessionRow(visit: Visit, one: SessionRow): Html {
  const { nowMs, csrf } = visit;
  const id = sessionIdOf(one.hash);
  return html`<li>
    <span class="what"
      >${viaWords(visit, one.via)}
      <span class="soft">${id} · opened ${timeAgo(one.openedAtMs, nowMs)}</span></span
    >
    <span class="aside"
      >${id === visit.session ? chip('good', 'this one') : html`used ${timeAgo(one.seenAtMs, nowMs)}`}</span
    >
    ${
      id === visit.session
        ? nothing
        : html`<form class="note" method="post" action="/account/session-end">
            ${formFields(csrf)}<input type="hidden" name="session" value="${id}" /><button
              class="quiet"
              type="submit"
            >
              End it
            </button>
          </form>`
    }
  </li>`;
}
