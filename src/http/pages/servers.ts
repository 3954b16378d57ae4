/**
 * The servers behind the gate and their pinned tools, for operators and auditors; and one tool, with the difference between
 * what was accepted and what its server says now, and the button that accepts just what is shown.
 */
import { html } from 'hono/html';
import { theGate } from '../../core/acts.ts';
import { maskText } from '../../core/secrets.ts';
import { counted, line, say, short, shortDigest } from '../../core/render/shown.ts';
import { stateWords, toolView, type DiffLine, type ToolView } from '../../core/render/tool-view.ts';
import type { Token } from '../../core/render/json-lines.ts';
import type { PinnedTool } from '../../core/tool.ts';
import type { ServerShown } from '../../app/about.ts';
import { code } from './exact.ts';
import { framed, notForYou, panel, table, type Answer } from './frame.ts';
import { chip, formFields, nothing, pairs, timeAgo, timeAt, type Html } from './html.ts';
import { pathOf } from './routes.ts';
import type { Tried } from './agents.ts';
import { may, type Visit } from './visit.ts';

/** Tools of one server on one page. */
const toolsMax = 200;

const forOperators = (visit: Visit): Promise<Answer> =>
  notForYou(visit, 'servers', {
    title: 'Servers are for operators and auditors',
    text: line('What an approval needs to know of a tool is on the approval’s own page.'),
  });

export async function serversPage(visit: Visit, query: URLSearchParams): Promise<Answer> {
  const { parts, about } = visit;
  if (!may(visit, 'read_gate', theGate)) return forOperators(visit);
  const only = query.get('server');
  const from = /^\d{1,6}$/.test(query.get('from') ?? '') ? Number(query.get('from')) : 0;
  const tools = await parts.store.tools();
  const servers = about.servers();
  const waits = [
    ...new Set(
      parts.world
        .config()
        .left.filter((one) => one.what === 'server' && !one.tightens)
        .map((one) => one.id),
    ),
  ].filter((name) => !servers.some((server) => server.name === name));
  const gone = [...new Set(tools.map((tool) => tool.server))].filter(
    (name) => !servers.some((server) => server.name === name),
  );
  const body = html`${
    servers.length === 0 && waits.length === 0
      ? html`<p class="empty">The configuration names no MCP server.</p>`
      : nothing
  }
  ${waits.map((name) => html`<p class="cannot">${say`The server ${short(name, 80)} is not served: its changed configuration waits until people accept it.`}</p>`)}
  ${servers
    .filter((server) => only === null || server.name === only)
    .map((server) =>
      serverPanel(visit, server, {
        tools: tools.filter((tool) => tool.server === server.name),
        from: only === null ? 0 : from,
      }),
    )}
  ${gone.length === 0 || only !== null ? nothing : html`<p class="soft">Pinned, but no longer configured: ${short(gone.join(', '), 400)}.</p>`}`;
  const waiting = tools.filter((tool) => tool.status !== 'enabled').length;
  const lead = html`<p>
    ${counted(servers.length, 'server')},
    ${counted(tools.length, 'pinned tool')}${waiting === 0 ? '.' : html`, <strong>${counted(waiting, 'tool waits', 'tools wait')} for an operator</strong>.`}
  </p>`;
  return framed(visit, 'servers', { title: 'Servers and pinned tools', lead, body });
}

function serverPanel(
  visit: Visit,
  server: ServerShown,
  { tools, from }: { readonly tools: readonly PinnedTool[]; readonly from: number },
): Html {
  // What needs somebody stands first.
  const inOrder = tools.toSorted(
    (a, b) => Number(a.status === 'enabled') - Number(b.status === 'enabled') || (a.tool < b.tool ? -1 : 1),
  );
  const shown = inOrder.slice(from, from + toolsMax);
  const rows = shown.map((tool) => toolRow(visit, tool));
  const kind = server.kind === 'process' ? 'process' : 'HTTP';
  const observed = visit.parts.world.observed().includes(server.name);
  return html`<section class="panel" aria-labelledby="server-${server.name}">
    <h2 id="server-${server.name}">
      ${line(server.name)} ${observed ? chip('unknown', 'observed only') : chip('plain', 'enforced')}
    </h2>
    ${pairs([
      ['upstream', html`${kind} <code>${short(server.at, 200)}</code>`],
      ['pins', line(server.pin === 'manual' ? 'an operator accepts each tool' : 'what is seen first')],
      ['state', upstreamState(visit, server.name)],
    ])}
    ${
      rows.length === 0
        ? html`<p class="empty">No tool was seen yet: the first agent that connects brings the list.</p>`
        : table(`Tools of ${server.name}`, ['Tool', 'Status', 'Mode', 'Pinned', 'Since'], rows)
    }
    ${from + toolsMax < tools.length ? html`<p class="older"><a href="${pathOf('/servers', { server: server.name, from: String(from + toolsMax) })}">More tools</a></p>` : nothing}
  </section>`;
}

/** What is known of an upstream: what it did last, and for how many agents. */
export function upstreamState({ about, nowMs }: Visit, server: string): Html {
  const stood = about.board.of('upstream', server);
  const sessions = counted(about.board.sessionsOf(server), 'agent connection');
  if (stood === undefined) return html`<span class="soft">not used since this gate started</span>`;
  return html`${stood.ok ? chip('good', 'reachable') : chip('bad', 'failing')} ${timeAgo(stood.atMs, nowMs)},
  ${sessions}${stood.lastFailure === null ? nothing : html`<br /><span class="soft">last failure ${timeAgo(stood.lastFailure.atMs, nowMs)}: ${short(maskText(stood.lastFailure.detail), 300)}</span>`}`;
}

function toolRow({ parts, nowMs }: Visit, tool: PinnedTool): readonly (Html | string)[] {
  const words = stateWords(tool);
  const view = pathOf('/tool', { server: tool.server, name: tool.tool });
  const entry = parts.world.catalog.entries.find(
    (one) => one.tool?.server === tool.server && one.tool.tool === tool.tool,
  );
  return [
    html`<a href="${view}"><code>${short(tool.tool, 120)}</code></a>`,
    chip(words.tone, words.title),
    entry === undefined ? '–' : entry.mode === 'observe' ? chip('unknown', 'observed only') : 'enforced',
    tool.hash === null ? '–' : html`<code>${shortDigest(tool.hash)}</code>`,
    timeAgo(tool.atMs, nowMs),
  ];
}

export async function toolPage(
  visit: Visit,
  { server, name }: { readonly server: string; readonly name: string },
  tried: Tried | null = null,
): Promise<Answer> {
  const { parts } = visit;
  if (!may(visit, 'read_gate', theGate)) return forOperators(visit);
  const tool = (await parts.store.tools(server)).find((one) => one.tool === name);
  const crumb = html`<a href="/servers">Servers</a>`;
  if (tool === undefined)
    return framed(visit, 'servers', {
      title: 'No such tool',
      crumb,
      lead: html`<p>No tool of that name was ever seen at this server.</p>`,
      body: nothing,
      status: 404,
    });
  const view = toolView(tool);
  const entry = parts.world.catalog.entries.find(
    (one) => one.tool?.server === server && one.tool.tool === name,
  );
  const definition = panel(
    'definition',
    view.hash === null ? 'What waits to be accepted' : 'What was accepted',
    html`${code(view.definition, 'Definition of the tool')}`,
  );
  // What is accepted stands above the button that accepts it: a difference, or all of it.
  const looks =
    view.diff === null
      ? html`${difference(view)} ${definition} ${acceptPanel(visit, view)}`
      : html`${difference(view)} ${acceptPanel(visit, view)} ${definition}`;
  const body = html`<p>${view.text}</p>
    ${panel(
      'pin',
      'The pin',
      pairs([
        ['accepted', view.hash === null ? line('nothing yet') : html`<code>${view.hash}</code>`],
        ...(view.offered === null
          ? []
          : [['its server says', html`<code>${view.offered.short}</code>`] as const]),
        [view.offered === null ? 'since' : 'seen', timeAt(view.atMs)],
      ]),
    )}
    ${looks}`;
  return framed(visit, 'servers', {
    title: view.operation,
    crumb,
    lead: html`<p class="marks">
      ${chip(view.tone, view.title)}${entry?.mode === 'observe' ? chip('unknown', 'observed only') : nothing}
    </p>`,
    body,
    self: pathOf('/tool', { server, name }),
    ...(tried === null ? {} : { refused: tried.refusal }),
  });
}

function difference(view: ToolView): Html {
  const notes =
    view.notes.length === 0
      ? nothing
      : html`<ul class="notes">
          ${view.notes.map(
            (one) =>
              html`<li class="${one.kind}">
                ${one.path === '' ? nothing : html`<code>${one.path}</code> `}${one.text}
              </li>`,
          )}
        </ul>`;
  if (view.diff === null)
    return view.notes.length === 0 ? nothing : panel('notes', 'Worth a second look', notes);
  return panel(
    'difference',
    'What changed',
    html`${notes}${
      view.diff.length === 0
        ? html`<p>No line differs from what was accepted.</p>`
        : html`<div class="code diff" role="region" aria-label="What changed" tabindex="0">
            <ol>
              ${view.diff.map(diffRow)}
            </ol>
          </div>`
    }`,
  );
}

const diffRow = ({ kind, before, changed, after }: DiffLine): Html =>
  html`<li class="${kind}">
    <span
      >${before.map(token)}${changed.length === 0 ? nothing : kind === 'skipped' ? changed.map(token) : html`<b>${changed.map(token)}</b>`}${after.map(token)}</span
    >
  </li>`;

const token = (one: Token): Html =>
  html`<bdi class="${one.kind === 'text' ? '' : one.kind}">${one.text}</bdi>`;

/** The form names the hash of what stands above: what the server says by then is accepted only if it is still that. */
function acceptPanel(visit: Visit, view: ToolView): Html {
  if (view.offered === null) return nothing;
  if (!may(visit, 'accept_tool', { kind: 'server', server: view.server }))
    return html`<p class="cannot">An operator may accept it.</p>`;
  if (!view.whole || (view.hash !== null && view.diff === null))
    return html`<p class="alarm">
      This definition is larger than can be shown and read here, so it cannot be accepted here.
    </p>`;
  return panel(
    'accept',
    'Accept it',
    html`<form class="accept" method="post" action="/tool/accept">
      ${formFields(visit.csrf)}<input type="hidden" name="server" value="${view.server}" /><input
        type="hidden"
        name="tool"
        value="${view.tool}"
      /><input type="hidden" name="hash" value="${view.offered.hash}" />
      <p>
        Agents can then use it as it is shown here, <code>${view.offered.short}</code>. Whoever accepts it
        vouches for it, and cannot approve what it does for 7 days.
      </p>
      <button type="submit">Accept this definition</button>
    </form>`,
  );
}
