/** The agents that the reader may read, and one agent: what it asks for, what keeps it from asking, and who can change that. */
import { html } from 'hono/html';
import { nameOf } from '../../core/conflict.ts';
import { agentIn, type Agent } from '../../core/directory.ts';
import { asAgentId, type AgentId } from '../../core/ids.ts';
import { maskText } from '../../core/secrets.ts';
import { counted, line, lines, listed, say, short } from '../../core/render/shown.ts';
import { byWords } from '../../core/render/standing.ts';
import type { Stop, Unsafe } from '../../core/stops.ts';
import type { Refusal } from '../../core/refusal.ts';
import type { Glance } from '../../ports/overview.ts';
import { reasonCharsMax } from '../../app/review.ts';
import { agentLink, framed, glanceRow, notForYou, panel, table, type Answer } from './frame.ts';
import { chip, formFields, nothing, pairs, quote, timeAgo, type Html } from './html.ts';
import { actionsMax, lately } from './policies.ts';
import { pathOf } from './routes.ts';
import { stopForm } from './stop-form.ts';
import { agentsOf, glancesOf, may, type Visit } from './visit.ts';

/** Agents on one page. */
const agentsMax = 50;
/** Recent actions that an agent's page lists; more are counted. */
const recentMax = 25;
/** Actions of one agent that are counted by operation. */
const countedMax = 500;

export async function agentsPage(visit: Visit, query: URLSearchParams): Promise<Answer> {
  const { parts, nowMs } = visit;
  const all = agentsOf(visit);
  const from = /^\d{1,6}$/.test(query.get('from') ?? '') ? Number(query.get('from')) : 0;
  const shown = all.slice(from, from + agentsMax);
  const [stops, recent, ...crowds] = await Promise.all([
    parts.store.stops(),
    parts.store.recentActions({ limit: actionsMax, sinceMs: nowMs - lately.ms }),
    ...shown.map((agent) => parts.store.crowd({ agent: agent.id, people: [] })),
  ]);
  const rows = shown.map((agent, index) =>
    row(visit, agent, {
      stops: stops.filter((stop) => stop.agent === agent.id),
      last: recent.find((one) => one.agent === agent.id),
      pending: crowds[index]?.pending ?? 0,
    }),
  );
  const body = html`${
      rows.length === 0
        ? html`<p class="empty">No agent of the directory is yours.</p>`
        : table('Agents', ['Agent', 'Owners', 'Groups', 'Waiting', 'Last asked'], rows)
    }
    <p class="older">
      ${from > 0 ? html`<a href="${pathOf('/agents', { from: String(Math.max(0, from - agentsMax)) })}">Before</a> ` : nothing}
      ${from + agentsMax < all.length ? html`<a href="${pathOf('/agents', { from: String(from + agentsMax) })}">More</a>` : nothing}
    </p>`;
  const lead = html`<p>
    ${counted(all.length, 'agent')}. The first owner is accountable, and cannot approve what the agent asks
    for.
  </p>`;
  return framed(visit, 'agents', { title: 'Agents', lead, body });
}

interface Known {
  readonly stops: readonly Stop[];
  readonly last: Glance | undefined;
  readonly pending: number;
}

function row(visit: Visit, agent: Agent, { stops, last, pending }: Known): readonly (Html | string)[] {
  return [
    html`${agentLink(agent.id)} ${stateChips(stops)}`,
    ownersOf(visit, agent),
    agent.groups.length === 0 ? '–' : short(listed(agent.groups), 120),
    pending === 0 ? '–' : String(pending),
    last === undefined
      ? html`<span class="soft">not in ${lately.words}</span>`
      : timeAgo(last.atMs, visit.nowMs),
  ];
}

const ownersOf = (visit: Visit, agent: Agent): string =>
  line(listed(agent.owners.map((owner) => nameOf(visit.directory, owner))));

function stateChips(stops: readonly Stop[]): Html {
  const paused = stops.filter((stop) => stop.operation !== null).length;
  return html`${stops.some((stop) => stop.operation === null) ? chip('bad', 'stopped') : nothing}${paused === 0 ? nothing : chip('waiting', `${paused} paused`)}`;
}

/** What was typed in a form that was refused. */
export interface Tried {
  readonly refusal: Refusal;
  readonly reason: string | null;
}

export async function agentPage(visit: Visit, id: string, tried: Tried | null = null): Promise<Answer> {
  const { parts, directory, nowMs } = visit;
  const agent = agentIn(directory, asAgentId(id));
  // The same for one that is not and one that is not yours.
  if (agent === undefined || !may(visit, 'read_agent', { kind: 'agent', agent: agent.id }))
    return notForYou(visit, 'agents', {
      title: 'Not one of your agents',
      text: line(
        'An agent is read by its owners, by operators and by auditors. There may be none of this name.',
      ),
    });
  const [stops, unsafe, { pending }, recent] = await Promise.all([
    parts.store.stops(),
    parts.store.unsafe(),
    parts.store.crowd({ agent: agent.id, people: [] }),
    parts.store.recentActions({ agent: agent.id, limit: countedMax, sinceMs: nowMs - lately.ms }),
  ]);
  const mine = stops.filter((stop) => stop.agent === agent.id);
  const lead = html`<p>Owned by ${ownersOf(visit, agent)}. ${stateChips(mine)}</p>`;
  const body = html`${panel(
    'about',
    'About',
    pairs([
      ['groups', agent.groups.length === 0 ? line('none') : short(listed(agent.groups), 300)],
      ['waiting for people', line(`${pending} of at most ${parts.limits.pendingPerAgent}`)],
    ]),
  )}
  ${stopsPanel(visit, agent.id, mine, tried)}
  ${panel('used', `What it used in ${lately.words}`, usedTable(visit, recent))}
  ${unsafePanel(
    visit,
    unsafe.filter((one) => one.agent === agent.id),
  )}
  ${panel('recent', 'Last asked for', recentList(visit, await glancesOf(visit, recent, recentMax)))}`;
  return framed(visit, 'agents', {
    title: line(agent.id),
    crumb: html`<a href="/agents">Agents</a>`,
    lead,
    body,
    self: pathOf('/agent', { id: agent.id }),
    ...(tried === null ? {} : { refused: tried.refusal }),
  });
}

function stopsPanel(visit: Visit, agent: AgentId, stops: readonly Stop[], tried: Tried | null): Html {
  const { csrf } = visit;
  const lifts = may(visit, 'lift', { kind: 'agent', agent });
  const stopped = stops.some((stop) => stop.operation === null);
  const mayStop = may(visit, 'stop', { kind: 'agent', agent });
  const typed = tried?.reason ?? '';
  if (stops.length === 0 && !mayStop) return nothing;
  return panel(
    'stops',
    stops.length === 0 ? 'Stop it' : 'Stopped',
    html`${
      stops.length === 0
        ? nothing
        : html`<ul class="stops">
              ${stops.map((stop) => stopRow(visit, stop, lifts))}
            </ul>
            ${lifts ? nothing : html`<p class="cannot">Only an operator who does not own the agent may let it go on.</p>`}`
    }
    ${stopped || !mayStop ? nothing : stopForm({ csrf, action: '/agent/stop', agent, typed, open: tried !== null && !stopped })}`,
  );
}

function stopRow(visit: Visit, stop: Stop, lifts: boolean): Html {
  const what = stop.operation === null ? line('Everything it does') : short(stop.operation, 200);
  return html`<li>
    <p>
      <strong>${what}</strong> ${stop.operation === null ? 'is refused' : 'is paused'}, by
      ${byWords(stop.by, visit.directory)}, ${timeAgo(stop.atMs, visit.nowMs)}
    </p>
    ${stop.reason === null ? nothing : quote(lines(maskText(stop.reason)))}
    ${
      lifts
        ? html`<form class="lift" method="post" action="/agent/lift">
            ${formFields(visit.csrf)}<input
              type="hidden"
              name="agent"
              value="${stop.agent}"
            />${stop.operation === null ? nothing : html`<input type="hidden" name="operation" value="${stop.operation}" />`}
            <label
              >Why it may go on <span class="soft">kept in the log</span
              ><input type="text" name="reason" maxlength="${reasonCharsMax}" required
            /></label>
            <button type="submit">Lift</button>
          </form>`
        : nothing
    }
  </li>`;
}

function usedTable(visit: Visit, recent: readonly Glance[]): Html {
  if (recent.length === 0) return html`<p class="empty">It asked for nothing.</p>`;
  const used = new Map<string, Glance[]>();
  for (const one of recent) used.set(one.operation, [...(used.get(one.operation) ?? []), one]);
  const count = (list: readonly Glance[], effect: Glance['verdict']['effect']): string => {
    const many = list.filter((one) => one.verdict.effect === effect && one.mode === 'enforce').length;
    return many === 0 ? '–' : String(many);
  };
  const rows = [...used].map(([operation, list]) => {
    const observed = list.filter((one) => one.mode === 'observe').length;
    return [
      html`<code>${short(operation, 160)}</code>`,
      count(list, 'allow'),
      count(list, 'review'),
      count(list, 'deny'),
      observed === 0 ? '–' : String(observed),
      list[0] === undefined ? nothing : timeAgo(list[0].atMs, visit.nowMs),
    ];
  });
  return html`${table('Operations used', ['Operation', 'Allowed', 'For people', 'Denied', 'Observed', 'Last'], rows)}${recent.length < countedMax ? nothing : html`<p class="soft">Of its last ${countedMax} actions.</p>`}`;
}

const recentList = (visit: Visit, recent: readonly Glance[]): Html =>
  recent.length === 0
    ? html`<p class="empty">Nothing.</p>`
    : html`<ul class="glances">
        ${recent.map((one) => glanceRow(visit, one, false))}
      </ul>`;

function unsafePanel(visit: Visit, unsafe: readonly Unsafe[]): Html {
  if (unsafe.length === 0) return nothing;
  const newest = unsafe.toSorted((a, b) => b.atMs - a.atMs).slice(0, recentMax);
  return panel(
    'unsafe',
    'Denied as unsafe',
    html`<ul class="stops">
      ${newest.map(
        (one) =>
          html`<li>
            <p>
              <a href="/approvals/${one.approval}"><code>${short(one.operation, 160)}</code></a>
              ${say`by ${nameOf(visit.directory, one.person)}`}, ${timeAgo(one.atMs, visit.nowMs)}
            </p>
            ${one.reason === null ? nothing : quote(lines(maskText(one.reason)))}
          </li>`,
      )}
    </ul>`,
  );
}
