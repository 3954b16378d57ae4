/** What targets themselves recorded, compared with the log: for auditors and operators. What happened outside the gate comes first. */
import { html } from 'hono/html';
import { theGate } from '../../core/acts.ts';
import type { GateOnly, KeptReconciliation, TargetOnly } from '../../core/reconcile.ts';
import {
  comparedWords,
  gateOnlyWords,
  sourceWords,
  titleWords,
  whatWords,
  whyWords,
} from '../../core/render/reconcile-words.ts';
import { counted, grouped, line, short } from '../../core/render/shown.ts';
import { byWords } from '../../core/render/standing.ts';
import { duration } from '../../core/time.ts';
import { agentLink, framed, notForYou, panel, table, type Answer } from './frame.ts';
import { chip, nothing, pairs, timeAgo, timeAt, type Html } from './html.ts';
import { pathOf } from './routes.ts';
import { may, type Visit } from './visit.ts';

/** Rows of each list on a page. */
const rowsShown = 200;

const lead = html`<p>
  The gate leaves the id of each execution at its target. What a target’s own record holds beside that
  happened outside the gate, or under an id that was not its own.
</p>`;

export async function reconciliationsPage(visit: Visit): Promise<Answer> {
  if (!may(visit, 'read_gate', theGate)) return forOthers(visit);
  const kept = await visit.parts.store.reconciliations(0, Number.MAX_SAFE_INTEGER);
  const body =
    kept.length === 0
      ? html`<p class="empty">
          Nothing was compared yet. Until it is, that nothing goes around the gate rests on the network and on
          who holds which credentials.
        </p>`
      : html`<ul class="glances">
          ${kept.map((one) => row(visit, one))}
        </ul>`;
  return framed(visit, 'reconciliations', {
    title: 'Reconciliation',
    lead,
    body: panel('reconciliations', 'Compared so far', body),
  });
}

function row({ nowMs, directory }: Visit, one: KeptReconciliation): Html {
  return html`<li>
    <span class="what"
      ><a href="/reconciliations/${one.id}">${titleWords(one)}</a>
      <span class="soft">${timeAt(Date.parse(one.from))} to ${timeAt(Date.parse(one.to))}</span></span
    >
    <span class="aside"
      >${mark(one)} ${byWords(one.by, directory)}, ${timeAgo(Date.parse(one.at), nowMs)}</span
    >
    <span class="note">${comparedWords(one)}</span>
  </li>`;
}

const mark = ({ targetOnly }: Pick<KeptReconciliation, 'targetOnly'>): Html =>
  targetOnly.count === 0
    ? chip('good', 'nothing outside the gate')
    : chip('bad', `${counted(targetOnly.count, 'row')} outside the gate`);

export async function reconciliationPage(visit: Visit, id: string): Promise<Answer> {
  if (!may(visit, 'read_gate', theGate)) return forOthers(visit);
  const one = await visit.parts.store.reconciliation(id);
  const crumb = html`<a href="/reconciliations">Reconciliation</a>`;
  if (one === undefined)
    return framed(visit, 'reconciliations', {
      title: 'No such comparison',
      crumb,
      lead: nothing,
      body: nothing,
      status: 404,
    });
  return framed(visit, 'reconciliations', {
    title: titleWords(one),
    crumb,
    lead: html`<p>${comparedWords(one)}</p>`,
    body: html`${targetOnlyPanel(one)} ${gateOnlyPanel(one)} ${aboutPanel(visit, one)}`,
  });
}

function targetOnlyPanel({ targetOnly, files }: KeptReconciliation): Html {
  const { count, rows } = targetOnly;
  const shown = rows.slice(0, rowsShown);
  const title = html`Outside the gate ${mark({ targetOnly })}`;
  const fileOf = ({ file }: TargetOnly): Html => html`${short(files[file]?.name ?? '?', 80)}`;
  return panel(
    'target-only',
    title,
    count === 0
      ? html`<p>Every row of the time names an execution that ran then.</p>`
      : html`${table(
          'What happened outside the gate',
          ['When', 'What', 'By', 'Why it counts', 'Where'],
          shown.map((found) => [
            found.at === null ? html`?` : timeAt(Date.parse(found.at)),
            html`<code>${whatWords(found)}</code>`,
            found.who === null ? html`<span class="soft">not said</span>` : html`${short(found.who, 120)}`,
            html`${chip('bad', found.why.replaceAll('_', ' '))}
            ${whyWords(found.why)}${found.named === null ? nothing : html`<br /><span class="soft">it says ${short(found.named, 80)}</span>`}`,
            html`${fileOf(found)}, ${grouped(found.place)}`,
          ]),
        )}
        ${more(count, shown.length)}`,
  );
}

function gateOnlyPanel({ gateOnly }: KeptReconciliation): Html {
  const { count, rows } = gateOnly;
  const shown = rows.slice(0, rowsShown);
  return panel(
    'gate-only',
    html`Executions without a row ${count === 0 ? chip('good', 'none') : chip('unknown', grouped(count))}`,
    count === 0
      ? html`<p>The target has a row of every execution of the time.</p>`
      : html`${table(
          'Executions without a row',
          ['When', 'What', 'Agent', 'How it stands'],
          shown.map((one: GateOnly) => [
            timeAt(Date.parse(one.startedAt)),
            html`<a href="${pathOf('/log', { text: one.action })}"
              ><code>${short(one.operation, 120)}</code></a
            >`,
            agentLink(one.agent),
            gateOnlyWords(one),
          ]),
        )}
        ${more(count, shown.length)}`,
  );
}

const more = (count: number, shown: number): Html =>
  count > shown ? html`<p class="soft">The first ${grouped(shown)} of ${grouped(count)}.</p>` : nothing;

function aboutPanel({ directory }: Visit, one: KeptReconciliation): Html {
  const { skewMs, rowsPerExecution, outside, executions, rows, matched } = one;
  return panel(
    'about',
    'What was compared',
    pairs([
      ['source', line(sourceWords(one.source))],
      ['targets', one.targets.length === 0 ? line('all') : short(one.targets.join(', '), 300)],
      ['time', html`${timeAt(Date.parse(one.from))} to ${timeAt(Date.parse(one.to))}`],
      [
        'rows',
        line(`${grouped(rows)}, of which ${grouped(matched)} matched; ${grouped(outside)} of another time`),
      ],
      ['executions', line(grouped(executions))],
      [
        'rules',
        line(
          `clocks up to ${duration(skewMs)} apart; up to ${counted(rowsPerExecution, 'row')} of one execution`,
        ),
      ],
      ...one.files.map(
        (file) =>
          [
            'file',
            html`${short(file.name, 120)}<br /><code class="soft">${line(file.sha256)}</code>`,
          ] as const,
      ),
      ['by', html`${byWords(one.by, directory)}, ${timeAt(Date.parse(one.at))}`],
    ]),
  );
}

const forOthers = (visit: Visit): Promise<Answer> =>
  notForYou(visit, 'reconciliations', {
    title: 'Reconciliation is for auditors and operators',
    text: line('It compares the log with what targets themselves recorded.'),
  });
