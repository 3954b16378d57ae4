/** The log, newest first, in plain words, for auditors. Each entry's data is there for a closer look; nothing is left out. */
import { html } from 'hono/html';
import type { Entry } from '../../core/entry.ts';
import { isMember } from '../../core/directory.ts';
import { entryData, entryWords } from '../../core/render/log-words.ts';
import { grouped, line, say } from '../../core/render/shown.ts';
import { code } from './exact.ts';
import { nothing, type Html } from './html.ts';
import { layout } from './layout.ts';
import { layoutOf, pendingOf, type Visit } from './visit.ts';

/** Entries on one page. */
export const entriesMax = 50;

/** @param before the page shows entries below this index; undefined for the newest. */
export async function logPage(
  visit: Visit,
  before: number | undefined,
): Promise<{ readonly status: number; readonly body: Html }> {
  const pending = await pendingOf(visit);
  if (!isMember(visit.directory, visit.person, visit.directory.roles.auditors)) {
    return { status: 403, body: layout('Log', notForYou(visit), layoutOf(visit, pending, 'log', '')) };
  }
  const { size, head } = await visit.parts.store.head();
  const end = Math.min(before ?? size, size);
  const start = Math.max(0, end - entriesMax);
  const entries = await visit.parts.store.entries(start - 1, end - start);
  const rows = entries
    .map((sealed) => sealed.entry)
    .filter((entry) => entry.index < end)
    .toReversed();
  const body = html`<div class="log" data-live="log">
    <header class="title">
      <h1>Log</h1>
      <p class="soft">
        ${grouped(size)} entries. Head <code>${line(head.slice(0, 16))}</code>: each entry is chained to all
        before it.
      </p>
    </header>
    ${
      rows.length === 0
        ? html`<p class="empty">No entries here.</p>`
        : html`<ol class="entries" reversed>
            ${rows.map((entry) => row(entry, visit))}
          </ol>`
    }
    <p class="older">
      ${end < size ? html`<a href="/log?before=${Math.min(size, end + entriesMax)}">Newer</a> ` : nothing}${start > 0 ? html`<a href="/log?before=${start}">Older</a>` : nothing}
    </p>
  </div>`;
  return { status: 200, body: layout('Log', body, layoutOf(visit, pending, 'log', '')) };
}

function notForYou(visit: Visit): Html {
  const { auditors } = visit.directory.roles;
  return html`<section class="message">
    <h1>The log is for auditors</h1>
    <p>
      ${auditors === null ? 'The configuration names no group of auditors (roles.auditors), so nobody reads the log here.' : say`Only people in the group ${auditors} read the whole log. Approvals that concern you are in your inbox, with everything that was decided about them.`}
    </p>
    <p><a class="button" href="/inbox">To the inbox</a></p>
  </section>`;
}

function row(entry: Entry, visit: Visit): Html {
  const words = entryWords(entry, visit.directory);
  const approval = entry.about.approval;
  const data = entryData(entry);
  return html`<li class="${words.tone}" id="entry-${entry.index}">
    <span class="index">${entry.index}</span>
    <time datetime="${entry.at}">${line(entry.at.slice(0, 19).replace('T', ' '))}</time>
    <div>
      <p>
        ${words.text}${approval === null ? nothing : html` <a href="/approvals/${approval}">${say`${approval.slice(0, 12)}…`}</a>`}
      </p>
      <details id="data-${entry.index}">
        <summary>
          <code>${entry.type}</code
          >${words.text.includes(words.by) ? nothing : html` <span class="soft">by ${words.by}</span>`}
        </summary>
        ${code(data.lines, 'Data of the entry')}${data.whole ? nothing : html`<p class="soft">The rest is not shown.</p>`}
      </details>
    </div>
  </li>`;
}
