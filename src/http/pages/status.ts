/** How the gate stands, for operators and auditors: policies, store, channels, upstreams, clock, limits, stops, what is only observed. */
import { html } from 'hono/html';
import { theGate } from '../../core/acts.ts';
import { maskText } from '../../core/secrets.ts';
import { duration, rfc3339 } from '../../core/time.ts';
import { observedWords } from '../../core/render/observed.ts';
import {
  clock,
  clockNear,
  counted,
  grouped,
  line,
  say,
  short,
  shortDigest,
  type Shown,
} from '../../core/render/shown.ts';
import { byWords } from '../../core/render/standing.ts';
import type { Durability } from '../../ports/durability.ts';
import type { Limits } from '../../app/parts.ts';
import type { Stood } from '../../app/standing.ts';
import { agentLink, framed, notForYou, panel, type Answer } from './frame.ts';
import { chip, nothing, pairs, timeAgo, timeAt, type Html } from './html.ts';
import { gatesPanel } from './gates.ts';
import { logPanel } from './log-standing.ts';
import { upstreamState } from './servers.ts';
import { may, type Visit } from './visit.ts';

/** Notices that wait for one channel are counted up to here. */
const noticesMax = 1000;
/** Stops that the page lists. */
const stopsMax = 50;
/** Between our clock and the last entry's time, before the page warns of it. */
const skewMs = 2000;

export async function statusPage(visit: Visit): Promise<Answer> {
  const { parts } = visit;
  if (!may(visit, 'read_gate', theGate))
    return notForYou(visit, 'status', {
      title: 'The status is for operators and auditors',
      text: line('While something keeps the gate from working, every page says so at its top.'),
    });
  const body = html`<div class="grid">
      ${await policyPanel(visit)} ${await storePanel(visit)} ${await clockPanel(visit)}
      ${await channelsPanel(visit)} ${await shippingPanel(visit)}
    </div>
    ${await gatesPanel(visit)} ${await logPanel(visit)} ${upstreamsPanel(visit)} ${observePanel(visit)}
    ${await stopsPanel(visit)} ${panel('limits', 'Limits in force', pairs(limitRows(parts.limits)))}`;
  return framed(visit, 'status', {
    title: 'Status',
    lead: html`<p>As of ${timeAt(visit.nowMs)}. It keeps itself current.</p>`,
    body: html`<div data-live="status">${body}</div>`,
  });
}

async function policyPanel(visit: Visit): Promise<Html> {
  const { parts, directory } = visit;
  const broken = parts.policy.broken();
  const [newest, versions] = await Promise.all([
    parts.store.acceptedVersions('policies', 1),
    parts.store.versions(),
  ]);
  const [accepted] = newest;
  return panel(
    'policies',
    html`Policies ${broken === null ? chip('good', 'in force') : chip('bad', 'broken')}`,
    pairs([
      ...(broken === null ? [] : [['why', say`${broken}`] as const]),
      [
        'policies',
        html`<a href="/policies">${counted(parts.policy.policies().length, 'policy', 'policies')}</a>, set
          ${versions.policySet}`,
      ],
      ...(accepted === undefined
        ? []
        : ([
            ['digest', html`<code>${shortDigest(accepted.digest)}</code>`],
            [
              'accepted',
              html`${timeAt(accepted.atMs)}${accepted.entry === null ? nothing : html` by ${byWords(accepted.entry.by, directory)}`}${accepted.entry !== null && may(visit, 'read_log', theGate) ? html`, <a href="/log/${accepted.entry.index}">entry ${accepted.entry.index}</a>` : nothing}`,
            ],
          ] as const)),
      ['people', say`directory version ${versions.directory}`],
      ['tools', say`version ${versions.tools}`],
    ]),
  );
}

async function storePanel({ parts, about }: Visit): Promise<Html> {
  const { writable, detail } = parts.store.health();
  const [{ size, head }, { kind, bytes }] = await Promise.all([parts.store.head(), about.store()]);
  return panel(
    'store',
    html`Store ${writable ? chip('good', 'writable') : chip('bad', 'cannot be written')}`,
    pairs([
      ['kind', line(kind)],
      ...lossRows(parts.store.durability()),
      ...(detail === null ? [] : [['last failure', short(maskText(detail), 300)] as const]),
      ['log', say`${counted(size, 'entry', 'entries')}`],
      ['head', html`<code>${shortDigest(head)}</code>`],
      ['payloads', html`<a href="/retention">kept, held and erased</a>`],
      ...(bytes === null
        ? []
        : [['size', line(`${grouped(Math.max(1, Math.round(bytes / 1_048_576)))} MiB`)] as const]),
    ]),
  );
}

/** What is lost with the primary; an embedded store has its own disk, and nothing to say of it. */
const lossRows = (durability: Durability): readonly (readonly [string, Html])[] =>
  durability.kind === 'disk'
    ? []
    : [
        [
          'failover',
          html`${durability.synchronous ? chip('good', 'loses nothing') : chip('bad', 'no synchronous standby')}
          ${short(maskText(durability.detail), 300)}`,
        ],
      ];

/** The log's last entry has a time too: where ours is before it, the clock was turned back. */
async function clockPanel({ parts, about, nowMs }: Visit): Promise<Html> {
  const { size } = await parts.store.head();
  const last = size === 0 ? undefined : await parts.store.entry(size - 1);
  const lastMs = last === undefined ? null : Date.parse(last.entry.at);
  const behindMs = lastMs === null ? 0 : lastMs - nowMs;
  const back = behindMs > skewMs;
  return panel(
    'clock',
    html`Clock ${back ? chip('bad', 'behind the log') : chip('good', 'agrees with the log')}`,
    pairs([
      ['now', html`<time datetime="${rfc3339(nowMs)}">${clock(nowMs)}</time>`],
      ['policies read', say`weekday and hour in ${about.timezone}: ${localTime(nowMs, about.timezone)}`],
      ['since the start', drift(about.driftMs())],
      ...(lastMs === null
        ? []
        : [
            [
              'last entry',
              back
                ? say`${duration(behindMs)} after this clock: it was turned back. Deadlines run by this clock.`
                : html`${timeAgo(lastMs, nowMs)}`,
            ] as const,
          ]),
    ]),
  );
}

/** Machines that sleep and servers of time both move it; a large step is worth knowing. */
function drift(ms: number): Shown {
  if (Math.abs(ms) < skewMs) return line('as steady as the machine’s own');
  return say`moved ${duration(Math.abs(ms))} ${ms > 0 ? 'ahead of' : 'behind'} the machine’s steady clock`;
}

function localTime(nowMs: number, timeZone: string): string {
  try {
    return new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'long',
      hour: '2-digit',
      minute: '2-digit',
    }).format(nowMs);
  } catch {
    return 'no such time zone';
  }
}

async function channelsPanel({ parts, about, nowMs }: Visit): Promise<Html> {
  const { store } = parts;
  const [counts, waiting, failing] = await Promise.all([
    Promise.all(about.channels.map((name) => store.waitingNotices(name, noticesMax))),
    store.noticesByChannel(),
    store.failingNotices(),
  ]);
  const rows = about.channels.map((name, index) => {
    const stood = about.board.of('channel', name);
    const many = counts[index] ?? 0;
    const oldest = waiting.find((one) => one.channel === name)?.oldestMs;
    // What failed before a restart still waits, though nothing was tried since.
    const before = stood === undefined ? failing.find((one) => one.channel === name) : undefined;
    const fails = stood?.ok === false || before !== undefined;
    const state =
      stood === undefined && !fails
        ? html`<span class="soft">nothing to tell since this gate started</span>`
        : html`${fails ? chip('bad', 'failing') : chip('good', 'told')} ${sinceWhen(stood, nowMs)}`;
    return [
      line(name),
      html`${state}<br /><span class="soft"
          >${many >= noticesMax ? `${grouped(noticesMax)} or more notices wait` : counted(many, 'notice waits', 'notices wait')}${many === 0 || oldest === undefined ? nothing : html`, the oldest for ${duration(nowMs - oldest)}`}</span
        >${before === undefined ? nothing : html`<br /><span class="soft">last failure: ${short(maskText(before.detail), 300)}</span>`}${stood?.lastFailure == null ? nothing : html`<br /><span class="soft">last failure ${timeAgo(stood.lastFailure.atMs, nowMs)}: ${short(maskText(stood.lastFailure.detail), 300)}</span>`}`,
    ] as const;
  });
  return panel('channels', 'Channels', names([[line('web'), html`the pages: always`], ...rows]));
}

/** Where the log is shipped to: every place that it ever was, and how far that has come. */
async function shippingPanel({ parts, about, nowMs }: Visit): Promise<Html> {
  const cursors = await parts.store.cursors();
  if (cursors.length === 0) return nothing;
  const { size } = await parts.store.head();
  const rows = cursors.map(({ name, next, detail }) => {
    const stood = about.board.of('shipping', name);
    const many = Math.max(0, size - next);
    const fails = stood?.ok === false;
    const state =
      stood === undefined
        ? html`<span class="soft">nothing shipped since this gate started</span>`
        : html`${fails ? chip('bad', 'failing') : chip('good', 'shipped')} ${sinceWhen(stood, nowMs)}`;
    return [
      line(name),
      html`${state}<br /><span class="soft"
          >${counted(many, 'entry is', 'entries are')} still to be shipped</span
        >${detail === null ? nothing : html`<br /><span class="soft">${short(maskText(detail), 300)}</span>`}`,
    ] as const;
  });
  return panel('shipping', 'Shipping of the log', names(rows));
}

/** Since when it fails, or when it was told last. */
const sinceWhen = (stood: Stood | undefined, nowMs: number): Html =>
  stood === undefined
    ? nothing
    : stood.failingSinceMs === null
      ? timeAgo(stood.atMs, nowMs)
      : html`since ${clockNear(stood.failingSinceMs, nowMs)}, tried ${timeAgo(stood.atMs, nowMs)}`;

/** Pairs whose labels are names: shown as they are. */
const names = (rows: readonly (readonly [Shown, Html])[]): Html =>
  html`<div class="names">${pairs(rows)}</div>`;

function upstreamsPanel(visit: Visit): Html {
  const servers = visit.about.servers();
  if (servers.length === 0) return nothing;
  return panel(
    'upstreams',
    'Servers',
    names(servers.map((server) => [line(server.name), upstreamState(visit, server.name)] as const)),
  );
}

function observePanel({ parts }: Visit): Html {
  const observed = observedWords(parts.world.observed());
  return panel(
    'observe',
    html`Observed only ${observed === null ? chip('good', 'nothing') : chip('unknown', 'not enforced')}`,
    observed === null
      ? html`<p>Every server and operation is enforced.</p>`
      : html`<p>${observed}: verdicts are recorded, and everything passes.</p>`,
  );
}

async function stopsPanel({ parts, directory, nowMs }: Visit): Promise<Html> {
  const stops = await parts.store.stops();
  return panel(
    'stops',
    html`Stops in force ${stops.length === 0 ? chip('good', 'none') : chip('bad', String(stops.length))}`,
    stops.length === 0
      ? html`<p>No agent is stopped, and no operation paused.</p>`
      : html`<ul class="glances">
          ${stops.slice(0, stopsMax).map(
            (stop) =>
              html`<li>
                <span class="what"
                  >${agentLink(stop.agent)}
                  <span class="soft"
                    >${stop.operation === null ? 'everything' : short(stop.operation, 120)}</span
                  ></span
                >
                <span class="aside">${byWords(stop.by, directory)}, ${timeAgo(stop.atMs, nowMs)}</span>
                ${stop.reason === null ? nothing : html`<span class="note">${short(maskText(stop.reason).replaceAll('\n', ' '), 300)}</span>`}
              </li>`,
          )}
        </ul>`,
  );
}

/** Every limit there is: the compiler asks for a sentence for a new one. */
function limitRows(limits: Limits): readonly (readonly [string, Html])[] {
  const { cooldownMs, creationsPerMinute, inbox, pendingPerAgent, unsafeMax, unsafeWindowMs, ...more } =
    limits;
  const { coolOffMs, holdMs, holdProgressMs, previewMs, replayMs, resultCharsMax, ...rest } = more;
  rest satisfies Readonly<Record<string, never>>;
  const rows: readonly (readonly [string, string])[] = [
    ['pending per agent', grouped(pendingPerAgent)],
    ['pending per inbox', grouped(inbox)],
    ['asked per minute', `${grouped(creationsPerMinute)} by one agent`],
    ['after an unsafe denial', `${duration(cooldownMs)} without the same action`],
    ['unsafe denials', `${grouped(unsafeMax)} within ${duration(unsafeWindowMs)} pause an operation`],
    ['a held call waits', `${duration(holdMs)}, with progress ${duration(holdProgressMs)}`],
    ['an outcome is replayed', duration(replayMs)],
    ['a new passkey or account counts', `after ${duration(coolOffMs)}`],
    ['a preview may take', duration(previewMs)],
    ['a kept result', `${grouped(resultCharsMax)} characters`],
  ];
  return rows.map(([name, text]) => [name, html`${text}`]);
}
