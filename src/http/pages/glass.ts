/**
 * Break-glass: what is open, what must be reviewed, how to ask, and what there was. Everybody who is signed in may look; each
 * sees what they had a part in or may decide, operators and auditors all. Core judges who may do what; nothing here does.
 */
import { html } from 'hono/html';
import { nameOf } from '../../core/conflict.ts';
import {
  asGlassId,
  glassGroupOf,
  glassMinutesMax,
  glassOperation,
  glassRequirement,
  glassReviewers,
  glassTextCharsMax,
  isOpenGlass,
  mayAskGlass,
  mayEndGlass,
  type Glass,
} from '../../core/glass.ts';
import { isGateAction } from '../../core/gate-operations.ts';
import { asAgentId, type PersonId } from '../../core/ids.ts';
import { refuse, statusOf, type Refusal } from '../../core/refusal.ts';
import { counted, line, lines, listed, say, short, type Shown } from '../../core/render/shown.ts';
import { headlineOf } from '../../core/render/headline.ts';
import { byWords } from '../../core/render/standing.ts';
import type { Result } from '../../core/result.ts';
import { maskText } from '../../core/secrets.ts';
import { mayStopAgent } from '../../core/steps/stops.ts';
import { askGlass, endGlass, listGlasses, reviewGlass } from '../../app/glass.ts';
import type { Fields } from './change.ts';
import { reasonIn } from './form.ts';
import { agentLink, framed, panel, type Answer } from './frame.ts';
import { chip, formFields, nothing, pairs, quote, timeAgo, timeAt, timeLeft, type Html } from './html.ts';
import { page, seeOther } from './responses.ts';
import { pathOf } from './routes.ts';
import { pendingOf, type Visit } from './visit.ts';

/** Of those that are closed, on one page. */
const listedMax = 30;
/** Actions that passed under one, counted no further. */
const passedMax = 10_000;

/** What was typed in a form that was refused. */
interface Tried {
  readonly refusal: Refusal;
  readonly fields: Fields;
}

export async function glassPage(
  visit: Visit,
  query: URLSearchParams,
  tried: Tried | null = null,
): Promise<Answer> {
  const { parts, person, directory } = visit;
  const after = query.get('after');
  const { items, next } = await listGlasses(parts, person, {
    limit: listedMax,
    ...(after === null ? {} : { after: asGlassId(after) }),
  });
  const rows = await Promise.all(
    items.map(async (one) => glassRow(visit, one, await parts.store.passedUnder(one.id, passedMax))),
  );
  const asked = await glassesAsked(visit);
  const { quorum } = glassRequirement(directory);
  const lead = html`<p>
    For some minutes, what policies would hold for people passes without asking anybody, for one agent and one
    operation. It takes ${counted(quorum, 'person', 'people')} of ${line(glassGroupOf(directory))} who neither
    ask for it nor own the agent. What policies forbid stays forbidden. Afterwards somebody else reviews it;
    until then the next one is refused.
  </p>`;
  const body = html`${
    asked.length === 0
      ? nothing
      : panel(
          'asked',
          'Asked for',
          html`<ul class="bullets">
            ${asked}
          </ul>`,
        )
  }
  ${panel(
    'glasses',
    'Open, and before',
    html`${
      rows.length === 0
        ? html`<p class="empty">None that you may read.</p>`
        : html`<ul class="stops">
            ${rows}
          </ul>`
    }
    ${next === undefined ? nothing : html`<p class="older"><a href="${pathOf('/break-glass', { after: next })}">Older</a></p>`}`,
  )}
  ${askPanel(visit, tried)}`;
  return framed(visit, 'glass', {
    title: 'Break-glass',
    lead,
    body,
    self: '/break-glass',
    ...(tried === null ? {} : { refused: tried.refusal, status: statusOf(tried.refusal.code) }),
  });
}

/** Those that wait for people, as far as the reader may read them. */
async function glassesAsked(visit: Visit): Promise<readonly Html[]> {
  const { mine, others } = await pendingOf(visit);
  return [...mine, ...others].flatMap(({ held, reader }) => {
    const { asked, approval } = held;
    if (!isGateAction(asked.action) || asked.action.operation !== glassOperation || approval === null)
      return [];
    const yours = reader?.cannotApprove === null;
    return [
      html`<li>
        <a href="/approvals/${approval.id}">${headlineOf(asked).what}</a>
        ${chip('waiting', yours ? 'waits for you' : 'waits for others')}
        ${timeLeft(approval.expiresAtMs, visit.nowMs)}
      </li>`,
    ];
  });
}

const people = (visit: Visit, ids: readonly PersonId[]): Shown =>
  line(listed(ids.map((id) => nameOf(visit.directory, id))));

function glassRow(visit: Visit, glass: Glass, passed: number): Html {
  const { nowMs, directory } = visit;
  const open = isOpenGlass(glass, nowMs);
  const state = open
    ? html`${chip('bad', 'open')} ${timeLeft(glass.untilMs, nowMs)}`
    : glass.review === null
      ? chip('waiting', 'must be reviewed')
      : chip('over', 'reviewed');
  return html`<li id="${glass.id}">
    <p>
      <strong><code>${short(glass.operation, 160)}</code></strong> of ${agentLink(glass.agent)} ${state}
    </p>
    ${pairs([
      ['from', html`${timeAt(glass.fromMs)} to ${timeAt(glass.untilMs)}`],
      ['asked by', people(visit, [glass.asker])],
      [
        'approved by',
        html`${people(visit, glass.approvers)} (<a href="/approvals/${glass.approval}">the approval</a>)`,
      ],
      ['passed under it', line(counted(passed, 'action'))],
      ...(glass.ended === null ? [] : [['ended', endedWords(glass.ended, directory)] as const]),
    ])}
    ${quote(lines(maskText(glass.reason)))}
    ${
      glass.review === null
        ? nothing
        : html`<p>
              Reviewed by ${people(visit, [glass.review.by])},
              ${timeAgo(glass.review.atMs, nowMs)}${glass.review.standing === 'independent' ? '' : ', who had a part in it: nobody else was left'}.
            </p>
            ${quote(lines(maskText(glass.review.finding)))}`
    }
    ${open ? endForm(visit, glass) : glass.review === null ? reviewForm(visit, glass) : nothing}
  </li>`;
}

/** Nobody ends what its time ended. */
const endedWords = ({ by, why }: NonNullable<Glass['ended']>, directory: Visit['directory']): Shown =>
  why === 'time'
    ? line('when its time was over')
    : say`by ${byWords(by, directory)}${why === 'person' ? '' : ` (${why})`}`;

function endForm({ person, directory, csrf }: Visit, glass: Glass): Html {
  if (!mayEndGlass(glass, person, directory) && !mayStopAgent(glass.agent, person, { directory, case: null }))
    return nothing;
  return html`<form class="lift" method="post" action="/break-glass/end">
    ${formFields(csrf)}<input type="hidden" name="glass" value="${glass.id}" />
    <label>Why it ends now <input type="text" name="reason" maxlength="${glassTextCharsMax}" /></label>
    <button type="submit">End it</button>
  </form>`;
}

function reviewForm({ person, directory, csrf }: Visit, glass: Glass): Html {
  const { people: may, standing } = glassReviewers(glass, directory);
  if (!may.includes(person)) {
    const who =
      may.length === 0
        ? line(
            'Nobody who is active may review it: whoever else the directory names must be taken out of it, or be active again.',
          )
        : say`It is reviewed by one of ${short(listed(may.map((id) => nameOf(directory, id))), 300)}.`;
    return html`<p class="cannot">${who}</p>`;
  }
  return html`<form class="accept" method="post" action="/break-glass/review">
    ${formFields(csrf)}<input type="hidden" name="glass" value="${glass.id}" />
    ${standing === 'independent' ? nothing : html`<p class="cannot">You had a part in it. Nobody else is left to review it; the log says so.</p>`}
    <label
      >What you found <span class="soft">was it needed, and what passed under it</span
      ><textarea name="finding" rows="3" maxlength="${glassTextCharsMax}" required></textarea>
    </label>
    <button type="submit">Close with this finding</button>
  </form>`;
}

function askPanel(visit: Visit, tried: Tried | null): Html {
  const { directory, person, glasses, csrf } = visit;
  const agents = directory.agents.filter(
    (agent) => agent.active !== false && mayAskGlass(directory, person, agent.id),
  );
  if (agents.length === 0) return nothing;
  if (glasses.length > 0)
    return panel(
      'ask',
      'Ask for one',
      html`<p class="cannot">
        One is open, or was not reviewed yet; the next is refused until somebody has.
      </p>`,
    );
  const typed = (name: string): string => tried?.fields.get(name) ?? '';
  return panel(
    'ask',
    'Ask for one',
    html`<form class="accept" method="post" action="/break-glass/ask">
      ${formFields(csrf)}
      <label
        >Agent <input type="text" name="agent" value="${typed('agent')}" maxlength="64" required
      /></label>
      <label
        >Operation <span class="soft">one, by its full name: server___tool</span
        ><input type="text" name="operation" value="${typed('operation')}" maxlength="300" required
      /></label>
      <label
        >Minutes
        <input
          type="number"
          name="minutes"
          value="${typed('minutes')}"
          min="1"
          max="${glassMinutesMax}"
          required
      /></label>
      <label
        >Reason <span class="soft">everybody who decides reads it</span
        ><textarea name="reason" rows="2" maxlength="${glassTextCharsMax}" required>
${typed('reason')}</textarea>
      </label>
      <button type="submit">Ask</button>
    </form>`,
  );
}

/** Done: to the page by GET. Refused: the page as it is now, with the words and what was typed. */
async function answered(visit: Visit, result: Result<unknown, Refusal>, fields: Fields): Promise<Response> {
  if (result.ok) return seeOther('/break-glass');
  const { parts } = visit;
  const now = { ...visit, nowMs: parts.clock.nowMs(), glasses: await parts.store.openGlasses() };
  const { status, body } = await glassPage(now, new URLSearchParams(), { refusal: result.error, fields });
  return page(status, body);
}

export async function glassAsked(visit: Visit, fields: Fields): Promise<Response> {
  const minutes = fields.get('minutes') ?? '';
  const result = await askGlass(
    visit.parts,
    visit.by,
    {
      agent: asAgentId(fields.get('agent') ?? ''),
      operation: (fields.get('operation') ?? '').trim(),
      minutes: /^\d{1,4}$/.test(minutes) ? Number(minutes) : 0,
      reason: (reasonIn(fields) ?? '').slice(0, glassTextCharsMax),
    },
    visit.once,
  );
  return result.ok
    ? seeOther(`/approvals/${result.value.approval?.id ?? ''}`)
    : answered(visit, result, fields);
}

export const glassEnded = async (visit: Visit, fields: Fields): Promise<Response> =>
  answered(
    visit,
    await endGlass(visit.parts, visit.by, asGlassId(fields.get('glass') ?? ''), {
      reason: reasonIn(fields),
      idempotency: visit.once,
    }),
    fields,
  );

export async function glassReviewed(visit: Visit, fields: Fields): Promise<Response> {
  const finding = reasonIn(new Map([['reason', fields.get('finding') ?? '']]));
  const result: Result<unknown, Refusal> =
    finding === null
      ? { ok: false, error: refuse('reason_required', 'Say in words what you found.') }
      : await reviewGlass(visit.parts, visit.by, asGlassId(fields.get('glass') ?? ''), {
          finding,
          idempotency: visit.once,
        });
  return answered(visit, result, fields);
}
