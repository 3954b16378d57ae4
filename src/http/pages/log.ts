/**
 * The log, newest first, in plain words, for auditors, and the search in it. Each entry's data is there for a closer look.
 * A search looks through a bounded part of the log, says how far it came, and goes on from there.
 */
import { html } from 'hono/html';
import { theGate } from '../../core/acts.ts';
import { mayReadLog } from '../../core/reads.ts';
import { entryData, entryWords } from '../../core/render/log-words.ts';
import { grouped, line, listed, say } from '../../core/render/shown.ts';
import { isSearch, notUnderstood, type Wanted } from '../../app/log-wanted.ts';
import { code } from './exact.ts';
import { framed, notForYou, panel, type Answer } from './frame.ts';
import { nothing, pairs, type Html } from './html.ts';
import { layout } from './layout.ts';
import { entriesMax, entryOf, find, wantedOf, type Found, type Told } from './log-query.ts';
import { exportForm, searchForm } from './log-form.ts';
import { logTier } from './log-standing.ts';
import { pathOf } from './routes.ts';
import { layoutOf, may, waitingFor, type Visit } from './visit.ts';

const forAuditors = (visit: Visit): Promise<Answer> => {
  const { auditors } = visit.directory.roles;
  if (mayReadLog(visit.directory, visit.person))
    return notForYou(visit, 'log', {
      title: 'The log is kept from you',
      text: line(
        'A policy of this gate keeps you from the log. Approvals that concern you are in your inbox.',
      ),
    });
  return notForYou(visit, 'log', {
    title: 'The log is for auditors',
    text:
      auditors === null
        ? line('The configuration names no group of auditors (roles.auditors), so nobody reads the log here.')
        : say`Only people in the group ${auditors} read the whole log. Approvals that concern you are in your inbox, with everything that was decided about them.`,
  });
};

export async function logPage(visit: Visit, query: URLSearchParams): Promise<Answer> {
  if (!may(visit, 'read_log', theGate)) return forAuditors(visit);
  const wanted = wantedOf(query);
  const said = /^\d{1,15}$/.exec(query.get('before') ?? '');
  const before = said === null ? null : Number(said[0]);
  const [{ size, head }, found, waiting] = await Promise.all([
    visit.parts.store.head(),
    find(visit, wanted, before),
    waitingFor(visit),
  ]);
  const body = html`<div class="log">
    <header class="title">
      <h1>Log</h1>
      <p class="soft">
        ${grouped(size)} entries. Head <code>${line(head.slice(0, 16))}</code>: each entry is chained to all
        before it.
      </p>
      ${await logTier(visit)}
    </header>
    ${searchForm(visit, wanted)} ${leftOut(wanted)} ${exportForm(visit, wanted)}
    <div data-live="log">
      ${
        found.entries.length === 0
          ? html`<p class="empty">${found.more ? 'Nothing found so far.' : 'No entries here.'}</p>`
          : html`<ol class="entries" reversed>
              ${found.entries.map(row)}
            </ol>`
      }
      ${pager(wanted, { before, size, ...found })}
    </div>
  </div>`;
  return { status: 200, body: layout('Log', body, layoutOf(visit, waiting, 'log', '')) };
}

function leftOut(wanted: Wanted): Html {
  const fields = notUnderstood(wanted);
  return fields.length === 0
    ? nothing
    : html`<p class="searched" role="alert">
        Left out, because it could not be understood: ${listed(fields)}. What follows is not narrowed by it.
      </p>`;
}

/** Older entries; where a search stopped before it found enough, how far it came. */
function pager(wanted: Wanted, at: Found & { readonly before: number | null; readonly size: number }): Html {
  const { before, size, entries, searchedTo, more } = at;
  const full = entries.length >= entriesMax;
  const older = more ? pathOf('/log', { ...wanted, before: String(searchedTo) }) : null;
  const newest =
    before !== null && before < size ? html`<a href="${pathOf('/log', { ...wanted })}">Newest</a>` : nothing;
  return html`${
      older !== null && !full && isSearch(wanted)
        ? html`<p class="searched" id="searched">
            Searched back to entry ${grouped(searchedTo)}. <a href="${older}">Go on from there</a>
          </p>`
        : nothing
    }
    <p class="older">${newest} ${older !== null && full ? html`<a href="${older}">Older</a>` : nothing}</p>`;
}

function row({ entry, words }: Told): Html {
  const approval = entry.about.approval;
  const data = entryData(entry);
  return html`<li class="${words.tone}" id="entry-${entry.index}">
    <a class="index" href="/log/${entry.index}">${entry.index}</a>
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

/** One entry by its index: a link that stays. */
export async function entryPage(visit: Visit, index: number): Promise<Answer> {
  if (!may(visit, 'read_log', theGate)) return forAuditors(visit);
  const sealed = await entryOf(visit, index);
  const crumb = html`<a href="${pathOf('/log', { before: String(index + entriesMax) })}#entry-${index}"
    >Log</a
  >`;
  if (sealed === undefined)
    return framed(visit, 'log', {
      title: `No entry ${grouped(index)}`,
      crumb: html`<a href="/log">Log</a>`,
      lead: html`<p>The log is shorter than that.</p>`,
      body: nothing,
      status: 404,
    });
  const { entry, held } = sealed;
  const words = entryWords(entry, visit.directory, held?.asked ?? null);
  const data = entryData(entry);
  const { action, approval, execution } = entry.about;
  const about = [
    [
      'action',
      action === null
        ? null
        : html`<a href="${pathOf('/log', { text: action })}"><code>${line(action)}</code></a>`,
    ],
    [
      'approval',
      approval === null ? null : html`<a href="/approvals/${approval}"><code>${line(approval)}</code></a>`,
    ],
    ['execution', execution === null ? null : html`<code>${line(execution)}</code>`],
  ] as const;
  const body = html`${panel(
      'entry',
      html`Entry`,
      pairs([
        ['when', html`<time datetime="${entry.at}">${line(entry.at)}</time>`],
        ['kind', html`<code>${entry.type}</code>`],
        ['by', words.by],
        ...about.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])),
        ['digest', html`<code>${line(sealed.pae)}</code>`],
        ['head', html`<code>${line(sealed.head)}</code>`],
      ]),
    )}
    ${panel('data', 'Data', html`${code(data.lines, 'Data of the entry')}${data.whole ? nothing : html`<p class="soft">The rest is not shown.</p>`}`)}
    <p class="older">
      ${index > 0 ? html`<a href="/log/${index - 1}">Before</a> ` : nothing}<a href="/log/${index + 1}"
        >After</a
      >
    </p>`;
  return framed(visit, 'log', {
    title: `Entry ${grouped(index)}`,
    crumb,
    lead: html`<p>${words.text}</p>`,
    body,
  });
}
