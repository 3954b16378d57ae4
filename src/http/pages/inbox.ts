/** The inbox: what waits for the reader, what waits for others, what was closed. Opening a row decides nothing. */
import { html } from 'hono/html';
import { endedAtMs, type Case } from '../../core/case.ts';
import type { ApprovalId } from '../../core/ids.ts';
import { headlineOf } from '../../core/render/headline.ts';
import { needsOf, tallyOf } from '../../core/render/people.ts';
import { counted, say } from '../../core/render/shown.ts';
import { standingOf } from '../../core/render/standing.ts';
import { failingBanners } from './channels.ts';
import { chip, nothing, timeAgo, timeLeft, type Html } from './html.ts';
import { layout } from './layout.ts';
import { ownAgents } from './own-agents.ts';
import { closedOf, layoutOf, listedOf, pendingMax, pendingOf, type Listed, type Visit } from './visit.ts';

/** Closed approvals on one page. */
const closedMax = 20;

export async function inboxPage(visit: Visit, after: ApprovalId | undefined): Promise<Html> {
  const [pending, closed, own] = await Promise.all([
    pendingOf(visit),
    closedOf(visit, after, closedMax),
    after === undefined ? ownAgents(visit) : nothing,
  ]);
  const failing = after === undefined ? await failingBanners(visit, pending) : nothing;
  const listed = closed.items.map((held) => listedOf(visit, held));
  const announce = `${counted(pending.mine.length, 'approval waits', 'approvals wait')} for you.`;
  const body = html`<div class="inbox" data-live="inbox">
    <h1 class="unseen">Inbox</h1>
    ${failing} ${after === undefined ? waiting(pending.mine, pending.others, pending.more) : nothing} ${own}
    ${section('closed', after === undefined ? 'Recently closed' : 'Closed earlier', { rows: listed.map(closedRow), none: empty('Nothing has been decided yet.') })}
    ${closed.next === undefined ? nothing : html`<p class="older"><a href="/inbox?after=${closed.next}">Older</a></p>`}
  </div>`;
  return layout('Inbox', body, layoutOf(visit, pending.mine.length, 'inbox', announce));
}

function waiting(mine: readonly Listed[], others: readonly Listed[], more: boolean): Html {
  const calm = html`<div class="calm">
    <p class="big">Nothing waits for you.</p>
    <p>When an agent asks for something that a policy holds for you, it appears here by itself.</p>
  </div>`;
  return html`${section('mine', 'Waiting for you', {
    rows: alike(mine).map((same) => waitingRow(same, true)),
    none: calm,
    count: mine.length,
  })}
  ${
    others.length === 0
      ? nothing
      : section('others', 'Waiting for others', {
          rows: alike(others).map((same) => waitingRow(same, false)),
          none: nothing,
          count: others.length,
        })
  }
  ${more ? html`<p class="soft">Only the newest ${pendingMax} are listed.</p>` : nothing}`;
}

/** The same thing asked again is one card: the oldest, with a count. Each is still decided by itself. */
function alike(all: readonly Listed[]): readonly Alike[] {
  const cards = new Map<string, Alike>();
  for (const one of all) {
    const { likeKey, id } = one.held.asked;
    // Cases from before such keys were kept are like no other.
    const key = likeKey === '' ? id : likeKey;
    const card = cards.get(key);
    if (card === undefined) cards.set(key, { first: one, count: 1 });
    else
      cards.set(key, {
        // Of the same millisecond: what the store lists later was asked earlier.
        first: one.held.asked.atMs <= card.first.held.asked.atMs ? one : card.first,
        count: card.count + 1,
      });
  }
  return [...cards.values()];
}

interface Alike {
  /** The oldest. */
  readonly first: Listed;
  readonly count: number;
}

const empty = (text: string): Html => html`<p class="empty">${text}</p>`;

const section = (
  id: string,
  title: string,
  { rows, none, count = 0 }: { readonly rows: readonly Html[]; readonly none: Html; readonly count?: number },
): Html =>
  html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}${count === 0 ? nothing : html` <span class="count">${count}</span>`}</h2>
    ${
      rows.length === 0
        ? none
        : html`<ul class="rows">
            ${rows}
          </ul>`
    }
  </section>`;

function waitingRow({ first, count: same }: Alike, mine: boolean): Html {
  const { held, now, reader } = first;
  const { count, quorum } = tallyOf(needsOf(held, now));
  const { approval } = held;
  const title = approval?.afterUnknown == null ? nothing : chip('unknown', 'ran before, outcome unknown');
  const no = mine ? null : (reader?.cannotApprove ?? null);
  return row(held, {
    aside: html`${quorum > 1 ? chip('plain', `${count} of ${quorum}`) : nothing}${approval === null ? nothing : timeLeft(approval.expiresAtMs, now.nowMs)}`,
    chips: html`${held.asked.profile?.reversible === false ? chip('bad', 'cannot be undone') : nothing}${held.asked.profile === null ? chip('unknown', 'no profile') : nothing}${title}${same === 1 ? nothing : chip('waiting', `${same} alike`)}`,
    under: html`asked
    ${timeAgo(held.asked.atMs, now.nowMs)}${no === null ? nothing : html`<span class="why-not">${whyNot(no.code, no.words)}</span>`}${same === 1 ? nothing : html`<span class="why-not">the oldest of ${same} alike; each is decided by itself</span>`}`,
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
