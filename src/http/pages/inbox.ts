/** The inbox: what waits for the reader, what waits for others, what was closed. Opening a row decides nothing. */
import { html } from 'hono/html';
import { endedAtMs, type Case } from '../../core/case.ts';
import type { ApprovalId } from '../../core/ids.ts';
import { headlineOf } from '../../core/render/headline.ts';
import { needsOf } from '../../core/render/people.ts';
import { counted, say } from '../../core/render/shown.ts';
import { standingOf } from '../../core/render/standing.ts';
import { listHeld } from '../../app/review.ts';
import { chip, nothing, timeAgo, timeLeft, type Html } from './html.ts';
import { layout } from './layout.ts';
import { layoutOf, listedOf, pendingMax, pendingOf, type Listed, type Visit } from './visit.ts';

/** Closed approvals on one page. */
const closedMax = 20;

export async function inboxPage(visit: Visit, after: ApprovalId | undefined): Promise<Html> {
  const [pending, closed] = await Promise.all([
    pendingOf(visit),
    listHeld(visit.parts, visit.by, {
      status: 'closed',
      limit: closedMax,
      ...(after === undefined ? {} : { after }),
    }),
  ]);
  const listed = closed.items.map((held) => listedOf(visit, held));
  const announce = `${counted(pending.mine.length, 'approval waits', 'approvals wait')} for you.`;
  const body = html`<div class="inbox" data-live="inbox">
    <h1 class="unseen">Inbox</h1>
    ${after === undefined ? waiting(pending.mine, pending.others, pending.more) : nothing}
    ${section('closed', after === undefined ? 'Recently closed' : 'Closed earlier', listed.map(closedRow), empty('Nothing has been decided yet.'))}
    ${closed.next === undefined ? nothing : html`<p class="older"><a href="/inbox?after=${closed.next}">Older</a></p>`}
  </div>`;
  return layout('Inbox', body, layoutOf(visit, pending, 'inbox', announce));
}

function waiting(mine: readonly Listed[], others: readonly Listed[], more: boolean): Html {
  const calm = html`<div class="calm">
    <p class="big">Nothing waits for you.</p>
    <p>When an agent asks for something that a policy holds for you, it appears here by itself.</p>
  </div>`;
  return html`${section(
    'mine',
    'Waiting for you',
    mine.map((one) => waitingRow(one, true)),
    calm,
  )}
  ${
    others.length === 0
      ? nothing
      : section(
          'others',
          'Waiting for others',
          others.map((one) => waitingRow(one, false)),
          nothing,
        )
  }
  ${more ? html`<p class="soft">Only the newest ${pendingMax} are listed.</p>` : nothing}`;
}

const empty = (text: string): Html => html`<p class="empty">${text}</p>`;

const section = (id: string, title: string, rows: readonly Html[], none: Html): Html =>
  html`<section aria-labelledby="${id}">
    <h2 id="${id}">
      ${title}${rows.length === 0 || id === 'closed' ? nothing : html` <span class="count">${rows.length}</span>`}
    </h2>
    ${
      rows.length === 0
        ? none
        : html`<ul class="rows">
            ${rows}
          </ul>`
    }
  </section>`;

function waitingRow({ held, now, reader }: Listed, mine: boolean): Html {
  const needs = needsOf(held, now);
  const quorum = needs.reduce((sum, need) => sum + need.quorum, 0);
  const count = needs.reduce((sum, need) => sum + need.count, 0);
  const { approval } = held;
  const title = approval?.afterUnknown == null ? nothing : chip('unknown', 'ran before, outcome unknown');
  const no = mine ? null : (reader?.cannotApprove ?? null);
  return row(held, {
    aside: html`${quorum > 1 ? chip('plain', `${count} of ${quorum}`) : nothing}${approval === null ? nothing : timeLeft(approval.expiresAtMs, now.nowMs)}`,
    chips: html`${held.asked.profile?.reversible === false ? chip('bad', 'cannot be undone') : nothing}${held.asked.profile === null ? chip('unknown', 'no profile') : nothing}${title}`,
    under: html`asked
    ${timeAgo(held.asked.atMs, now.nowMs)}${no === null ? nothing : html`<span class="why-not">${whyNot(no.code, no.words)}</span>`}`,
  });
}

/** In a list a few words must do; the approval's page has the sentence. */
function whyNot(code: string, words: string): string {
  if (code === 'no_self_approval') return 'yours: somebody else must approve';
  if (code === 'already_reviewed') return 'you have reviewed it';
  if (code === 'not_an_approver') return 'you are no approver of it';
  return words;
}

function closedRow({ held, now }: Listed): Html {
  const standing = standingOf(held, now.directory, now.nowMs);
  const at = endedAtMs(held) ?? held.approval?.approvedAtMs ?? held.asked.atMs;
  return row(held, {
    aside: html`${chip(standing.tone, standing.title)}`,
    chips: nothing,
    under: html`${timeAgo(at, now.nowMs)}`,
  });
}

function row(held: Case, parts: { readonly aside: Html; readonly chips: Html; readonly under: Html }): Html {
  const headline = headlineOf(held.asked);
  const { action } = held.asked;
  return html`<li>
    <a class="row" href="/approvals/${held.approval?.id ?? ''}">
      <span class="what"
        ><span class="headline">${headline.what}</span
        >${headline.environment === null ? nothing : chip('env', headline.environment)}${parts.chips}</span
      >
      <span class="aside">${parts.aside}</span>
      <span class="under"
        ><span>${say`${action.agent}`}</span><code>${say`${action.operation}`}</code
        ><span>${parts.under}</span></span
      >
    </a>
  </li>`;
}
