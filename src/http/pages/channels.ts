/**
 * What people see of the channels: in the inbox that one fails, on an approval where people were told of it. Promise: of a place
 * or of a failure nothing is said but to those who may read the approval that it is about, or how the gate stands.
 */
import { html } from 'hono/html';
import { theGate } from '../../core/acts.ts';
import type { ApprovalId } from '../../core/ids.ts';
import { channelName } from '../../core/render/channels.ts';
import { clockNear, counted, listed, say, short, type Shown } from '../../core/render/shown.ts';
import { maskText } from '../../core/secrets.ts';
import { silentOn, toldWhere, type Silent, type ToldWhere } from '../../app/telling.ts';
import { chip, fact, nothing, timeAgo, type Html } from './html.ts';
import { may, type Pending, type Visit } from './visit.ts';

/** Characters of a reason. */
const detailCharsMax = 200;

/** Without its full stop: it stands within a sentence. */
const reason = (detail: string): Shown => short(maskText(detail).replace(/\.\s*$/, ''), detailCharsMax);

/** The inbox's banner: which channels fail, for those approvals that the reader sees listed. Nothing where none does. */
export async function failingBanners(visit: Visit, pending: Pending): Promise<Html> {
  const seen = new Set<ApprovalId | undefined>(
    [...pending.mine, ...pending.others].map(({ held }) => held.approval?.id),
  );
  const silent = await silentOn(visit.parts, (approval) => seen.has(approval));
  // Whoever reads how the gate stands hears of a channel that fails while nothing waits for it, too.
  const others = may(visit, 'read_gate', theGate)
    ? visit.about.channels.flatMap((name) => {
        const stood = visit.about.board.of('channel', name);
        return stood?.failingSinceMs == null ||
          name === 'callback' ||
          silent.some((one) => one.channel === name)
          ? []
          : [
              {
                channel: name,
                sinceMs: stood.failingSinceMs,
                detail: stood.lastFailure?.detail ?? '',
                approvals: [],
              },
            ];
      })
    : [];
  return html`${[...silent, ...others].map((one) => html`<p class="banner watch" role="note">${silentWords(one, visit.nowMs)}</p>`)}`;
}

function silentWords({ channel, sinceMs, detail, approvals }: Silent, nowMs: number): Shown {
  const since = `since ${clockNear(sinceMs, nowMs)}`;
  const why = detail === '' ? '' : ` (${reason(detail)})`;
  if (approvals.length === 0) return say`${channelName(channel)} could not be told anything ${since}${why}.`;
  const many = counted(approvals.length, 'approval');
  return say`${channelName(channel)} could not be told of ${many} ${since}${why}. This page has ${approvals.length === 1 ? 'it' : 'them all'}, and it is tried again.`;
}

/** Where people were told of an approval that the reader may read; nothing where only pages and lines without copies tell. */
export async function toldSection(visit: Visit, approval: ApprovalId): Promise<Html> {
  const rows = await toldWhere(visit.parts, approval);
  const chats = visit.about.channels.some((name) => name === 'slack' || name === 'teams');
  if (rows.length === 0 && !chats) return nothing;
  return fact(
    'told',
    'Where people were told',
    html`<div data-live="told">
      ${
        rows.length === 0
          ? html`<p class="soft">In no chat yet. This page and the inbox have it.</p>`
          : html`<ul class="glances told">
              ${rows.map((row) => toldRow(row, isBehind(row, rows), visit.nowMs))}
            </ul>`
      }
    </div>`,
  );
}

/** A channel that fails, with copies that were to be brought up to date. */
const isBehind = ({ state, channel }: ToldWhere, rows: readonly ToldWhere[]): boolean =>
  (state === 'failing' || state === 'given_up') &&
  rows.some((one) => one.channel === channel && one.state === 'posted');

function toldRow(row: ToldWhere, behind: boolean, nowMs: number): Html {
  const note = noteOf(row, behind, nowMs);
  return html`<li>
    <span class="what"
      >${channelName(row.channel)}${row.to === null ? nothing : html` <code>${short(row.to, 120)}</code>`}
      <span class="soft">${placeOf(row)}</span></span
    >
    <span class="aside">${stateChip(row)} ${timeAgo(row.atMs, nowMs)}</span>
    ${note === null ? nothing : html`<span class="note">${note}</span>`}
  </li>`;
}

function placeOf({ state, group }: ToldWhere): Shown | '' {
  if (group !== null) return say`for ${group}`;
  return state === 'failing' || state === 'given_up' ? '' : say`to one person`;
}

function stateChip({ state }: ToldWhere): Html {
  switch (state) {
    case 'posted':
      return chip('good', 'shown there');
    case 'sending':
      return chip('waiting', 'being sent');
    case 'lost':
      return chip('unknown', 'may not have arrived');
    case 'gone':
      return chip('over', 'deleted there');
    case 'failing':
      return chip('bad', 'failing');
    case 'given_up':
      return chip('bad', 'given up');
  }
}

function noteOf(row: ToldWhere, behind: boolean, nowMs: number): Shown | null {
  if (row.detail === null)
    return row.whole === false
      ? say`Not all of the action fits there, so it cannot be approved there.`
      : null;
  const tries = row.tries === null ? '' : ` Tried ${counted(row.tries, 'time')}.`;
  const next = row.nextMs === null ? '' : ` Next try at ${clockNear(row.nextMs, nowMs)}.`;
  const instead =
    row.instead.length === 0 ? '' : ` Told instead: ${listed(row.instead.map((one) => channelName(one)))}.`;
  const old = behind ? ' What is shown there may be older than this page.' : '';
  return say`${reason(row.detail)}.${tries}${next}${instead}${old}`;
}
