/**
 * What all pages share: the head, the bar at the top, banners, help for the keyboard. No inline script or style, nothing
 * from elsewhere; `responses.ts` holds the pages to it by their content security policy.
 */
import { html } from 'hono/html';
import type { Shown } from '../../core/render/shown.ts';
import { assetPath } from './assets.ts';
import { formFields, nothing, type Html } from './html.ts';

/** `alarm`: something does not work. `watch`: something is not enforced. */
export interface Banner {
  readonly tone: 'alarm' | 'watch';
  readonly text: Shown;
  /** A page of ours where something can be done about it. */
  readonly href?: string;
}

export interface LayoutOptions {
  /** Names the page for style and script. */
  readonly page:
    | 'inbox'
    | 'approval'
    | 'log'
    | 'policies'
    | 'agents'
    | 'people'
    | 'servers'
    | 'status'
    | 'reconciliations'
    | 'evidence'
    | 'glass'
    | 'account'
    | 'link'
    | 'message';
  /** Who is signed in; null for nobody. */
  readonly reader: {
    readonly name: Shown;
    readonly csrf: string;
    /** How many approvals wait for this person: in the title and beside "Inbox". */
    readonly pending: number;
    readonly auditor: boolean;
    /** Reads how the gate stands: servers, status. */
    readonly gate: boolean;
    /** Has agents to read. */
    readonly agents: boolean;
  } | null;
  /** Sentences about the gate itself that everybody must see. */
  readonly banners: readonly Banner[];
  /** One sentence on where things stand; read out when it changes while the page is open. */
  readonly announce: string;
  /** Where the page lives, where it answers a POST: it is shown and asked for again there. */
  readonly self?: string;
  /** True where the page asks once more by itself whether somebody is signed in (assets/again.ts). */
  readonly asksAgain?: boolean;
  /** True where a link's secret stands after `#` (assets/link.ts), signed in or not. */
  readonly takesLink?: boolean;
}

/** A whole page. The title starts with the count of what waits for the reader: "(2) Inbox · Countersign". */
export function layout(title: string, body: Html, options: LayoutOptions): Html {
  const waiting =
    options.reader === null || options.reader.pending === 0 ? '' : `(${options.reader.pending}) `;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${waiting}${title} · Countersign</title>
        <link rel="icon" href="${assetPath('icon.svg')}" type="image/svg+xml" />
        <link rel="stylesheet" href="${assetPath('style.css')}" />
        ${script(options)}
      </head>
      <body
        data-page="${options.page}"
        ${options.self === undefined ? nothing : html` data-self="${options.self}"`}
      >
        <a class="skip" href="#main">Skip to the content</a>
        ${topBar(options)}
        <div data-live="banners">
          ${options.banners.map(
            ({ tone, text, href }) =>
              html`<p class="banner ${tone}" role="${tone === 'alarm' ? 'alert' : 'note'}">
                ${text}${href === undefined ? nothing : html` <a href="${href}">Look</a>`}
              </p>`,
          )}
        </div>
        <main id="main" tabindex="-1" data-announce="${options.announce}">${body}</main>
        ${options.reader === null ? nothing : foot}
      </body>
    </html> `;
}

function script({ page, reader, asksAgain, takesLink }: LayoutOptions): Html {
  // First: it takes the secret out of the address before anything else looks at it.
  const link =
    page === 'link' || takesLink === true
      ? html`<script src="${assetPath('link.js')}" defer></script>`
      : nothing;
  if (reader !== null)
    return html`${link}
      <script src="${assetPath('live.js')}" defer></script>`;
  return asksAgain === true
    ? html`${link}
        <script src="${assetPath('again.js')}" defer></script>`
    : link;
}

/** Where else the reader can go: only what opens for them. */
function places(
  reader: NonNullable<LayoutOptions['reader']>,
): readonly (readonly [name: LayoutOptions['page'], path: string, text: string])[] {
  return [
    ...(reader.auditor ? [['log', '/log', 'Log'] as const] : []),
    ['policies', '/policies', 'Policies'],
    ...(reader.agents ? [['agents', '/agents', 'Agents'] as const] : []),
    ['people', '/people', 'People'],
    ...(reader.agents ? [['glass', '/break-glass', 'Break-glass'] as const] : []),
    ...(reader.gate
      ? [
          ['servers', '/servers', 'Servers'] as const,
          ['evidence', '/evidence', 'Evidence'] as const,
          ['reconciliations', '/reconciliations', 'Reconciliation'] as const,
          ['status', '/status', 'Status'] as const,
        ]
      : []),
  ];
}

function topBar({ page, reader }: LayoutOptions): Html {
  const current = (name: LayoutOptions['page']): Html =>
    page === name ? html` aria-current="page"` : nothing;
  return html`<header class="top">
    <div>
      <a class="brand" href="/inbox">${brandMark}<span>Countersign</span></a>
      ${
        reader === null
          ? nothing
          : html`<nav aria-label="Main">
                <a href="/inbox" ${current('inbox')}
                  >Inbox<span data-live="count"
                    >${reader.pending === 0 ? nothing : html`<span class="count" title="wait for you">${reader.pending}</span>`}</span
                  ></a
                >
                ${places(reader).map(([name, path, text]) => html`<a href="${path}" ${current(name)}>${text}</a>`)}
              </nav>
              <form class="who" method="post" action="/sign-out">
                ${formFields(reader.csrf)}<a class="name" href="/account" ${current('account')}
                  >${reader.name}</a
                ><button class="quiet" type="submit">Sign out</button>
              </form>`
      }
    </div>
  </header>`;
}

const brandMark = html`<svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
  <rect width="32" height="32" rx="8"></rect>
  <path d="M7 16.5l4.5 4.5L20 11"></path>
  <path d="M14.5 20l1.5 1.5L25 12"></path>
</svg>`;

const key = (name: string): Html => html`<kbd>${name}</kbd>`;

const foot = html`<footer class="foot">
    <p id="link" class="link-state" hidden></p>
    <button class="quiet" id="help" type="button" hidden>Keyboard ${key('?')}</button>
  </footer>
  <p id="announce" class="unseen" role="status" aria-live="polite"></p>
  <dialog id="keys" aria-labelledby="keys-title">
    <h2 id="keys-title">Keyboard</h2>
    <dl class="keys">
      <div>
        <dt>${key('j')} ${key('k')}</dt>
        <dd>next, previous in a list</dd>
      </div>
      <div>
        <dt>${key('Enter')}</dt>
        <dd>open</dd>
      </div>
      <div>
        <dt>${key('a')}</dt>
        <dd>go to Approve; it decides nothing by itself</dd>
      </div>
      <div>
        <dt>${key('d')}</dt>
        <dd>go to Deny and its reason</dd>
      </div>
      <div>
        <dt>${key('u')}</dt>
        <dd>back to the inbox</dd>
      </div>
      <div>
        <dt>${key('?')}</dt>
        <dd>this help</dd>
      </div>
    </dl>
    <form method="dialog"><button type="submit">Close</button></form>
  </dialog>`;
