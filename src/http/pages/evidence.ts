/**
 * Evidence for auditors: a form for a period and samples that answers with a zip, what was made before with "the same query again",
 * and what management answered. Auditors and operators; only operators answer.
 */
import { html } from 'hono/html';
import { isOperator } from '../../core/directory.ts';
import type { Entry } from '../../core/entry.ts';
import { answerCharsMax } from '../../core/evidence/exception-names.ts';
import { objectAt, textAt, countAt, listAt, at as valueAt } from '../../core/evidence/read.ts';
import { samplesMax } from '../../core/evidence/selection.ts';
import { refuse, statusOf, type Refusal } from '../../core/refusal.ts';
import { counted, grouped, line, lines, say, short, type Shown } from '../../core/render/shown.ts';
import { byWords } from '../../core/render/standing.ts';
import { maskText } from '../../core/secrets.ts';
import { rfc3339 } from '../../core/time.ts';
import { answerException } from '../../app/evidence-made.ts';
import { evidenceQueryOf } from '../../app/evidence-said.ts';
import { refusesEvidence } from '../../app/evidence.ts';
import { attachment } from '../attachment.ts';
import type { Fields } from './change.ts';
import { reasonIn } from './form.ts';
import { framed, notForYou, panel, type Answer } from './frame.ts';
import { formFields, nothing, pairs, quote, timeAt, type Html } from './html.ts';
import { page, seeOther } from './responses.ts';
import { pathOf } from './routes.ts';
import type { Visit } from './visit.ts';

/** Of one field of the form. */
const fieldCharsMax = 2000;
/** Of what was made and answered before. */
const listedMax = 20;

interface Tried {
  readonly refusal: Refusal;
  readonly form: 'make' | 'answer';
  readonly fields: Fields;
}

export async function evidencePage(
  visit: Visit,
  query: URLSearchParams,
  tried: Tried | null = null,
): Promise<Answer> {
  const { parts, person, directory } = visit;
  if ((await refusesEvidence(parts, person)) !== undefined)
    return notForYou(visit, 'evidence', {
      title: 'Evidence',
      text: line('Auditors and operators make the evidence of a period here.'),
    });
  const [made, answers] = await Promise.all([
    entriesOf(visit, 'evidence.made'),
    entriesOf(visit, 'evidence.answered'),
  ]);
  const body = html`${makePanel(visit, query, tried)}
  ${panel(
    'made',
    'Made before',
    made.length === 0
      ? html`<p class="empty">None yet.</p>`
      : html`<ul class="stops">
          ${made.map((entry) => madeRow(visit, entry))}
        </ul>`,
  )}
  ${answersPanel(visit, answers, isOperator(directory, person), tried)}`;
  return framed(visit, 'evidence', {
    title: 'Evidence',
    lead: html`<p>
      A package for an auditor: a report that reads without this system, every privileged action as a row,
      samples with their receipts, and the proofs that tie them to the signed log. The same query gives the
      same again.
    </p>`,
    body,
    self: '/evidence',
    ...(tried === null ? {} : { refused: tried.refusal, status: statusOf(tried.refusal.code) }),
  });
}

/** Newest first. */
async function entriesOf(
  { parts }: Visit,
  type: 'evidence.made' | 'evidence.answered',
): Promise<readonly Entry[]> {
  const { entries } = await parts.store.searchLog({
    text: null,
    type,
    agent: null,
    operation: null,
    person: null,
    resource: null,
    verdict: null,
    policy: null,
    fromMs: null,
    toMs: null,
    before: null,
    limit: listedMax,
  });
  return entries.map(({ entry }) => entry);
}

/** The month before the reader's now, in days. */
function lastMonth(nowMs: number): { readonly from: string; readonly to: string } {
  const today = rfc3339(nowMs).slice(0, 7);
  const [year = 0, month = 1] = today.split('-').map(Number);
  const before = month === 1 ? `${year - 1}-12` : `${year}-${String(month - 1).padStart(2, '0')}`;
  return { from: `${before}-01`, to: `${today}-01` };
}

function makePanel({ csrf, nowMs }: Visit, query: URLSearchParams, tried: Tried | null): Html {
  const month = lastMonth(nowMs);
  const value = (name: string, byDefault = ''): string =>
    line(
      (tried?.form === 'make' ? tried.fields.get(name) : (query.get(name) ?? undefined)) ?? byDefault,
    ).slice(0, fieldCharsMax);
  const chosen = value('rows') !== '' || value('count') !== '';
  return panel(
    'make',
    'Make it',
    html`<form class="accept" method="post" action="/evidence/make">
      ${formFields(csrf)}
      <div class="fields">
        ${field('from', html`From <span class="soft">day, UTC</span>`, value('from', month.from))}
        ${field('to', html`To <span class="soft">without that day</span>`, value('to', month.to))}
      </div>
      <details id="samples" ${chosen ? html` open` : nothing}>
        <summary>Samples, and the state of the log</summary>
        <div class="fields">
          ${field('rows', html`Rows <span class="soft">such as 1,5,9</span>`, value('rows'))}
          ${field('count', html`Or so many <span class="soft">at most ${samplesMax}</span>`, value('count'))}
          ${field('number', html`by the auditor’s number`, value('number'))}
          ${field('asOf', html`As of <span class="soft">entries; empty: now</span>`, value('asOf'))}
        </div>
        <p class="soft">
          With a number, rows are chosen from it and the end checkpoint, so that neither the gate nor whoever
          runs it can pick them.
        </p>
      </details>
      <button type="submit">Make the package</button>
      <p class="soft">
        It is made while you wait: a month with thousands of actions takes some seconds. That it was made is
        an entry of the log.
      </p>
    </form>`,
  );
}

/** A field of the form; what was typed is never longer than it takes. */
const field = (name: string, label: Html, value: string): Html =>
  html`<div>
    <label for="evidence-${name}">${label}</label
    ><input
      id="evidence-${name}"
      type="text"
      name="${name}"
      value="${value}"
      maxlength="${fieldCharsMax}"
      autocomplete="off"
      ${name === 'from' || name === 'to' ? html` required` : nothing}
    />
  </div>`;

function madeRow({ directory }: Visit, entry: Entry): Html {
  const { data } = entry;
  const [from, to] = [textAt(data, 'from') ?? '', textAt(data, 'to') ?? ''];
  const indexes = (listAt(data, 'indexes') ?? []).flatMap((one) => (typeof one === 'number' ? [one] : []));
  const checkpoint = objectAt(data, 'checkpoint');
  const again = {
    from,
    to,
    asOf: String(countAt(data, 'asOf') ?? ''),
    ...samplesAgain(data),
  };
  return html`<li id="made-${entry.index}">
    <p>
      <strong>${say`${dayOf(from)} to ${dayOf(to)}`}</strong>
      <span class="soft">${timeAt(Date.parse(entry.at))} by ${byWords(entry.by, directory)}</span>
    </p>
    ${pairs([
      ...statedPair(data),
      ['actions', line(counted(countAt(data, 'rows') ?? 0, 'row'))],
      [
        'entries',
        line(indexes.length < 2 ? '–' : `${grouped(indexes[0] ?? 0)} to ${grouped(indexes[1] ?? 0)}`),
      ],
      [
        'checkpoint',
        checkpoint === null
          ? line('none covered its end')
          : say`${textAt(checkpoint, 'origin') ?? ''}, ${grouped(countAt(checkpoint, 'size') ?? 0)} entries`,
      ],
      ['manifest', html`<code>${short(textAt(data, 'manifest') ?? '', 64)}</code>`],
    ])}
    <p><a href="${pathOf('/evidence', again)}#make">The same query again</a></p>
  </li>`;
}

/** The name that whoever made it at the machine gave; nothing where they gave none. */
function statedPair(data: Entry['data']): readonly (readonly [string, Shown])[] {
  const stated = textAt(data, 'stated');
  return stated === null ? [] : [['by the name of', short(stated, 160)]];
}

/** "2026-10-01" of a midnight, else the whole time. */
const dayOf = (time: string): string => time.replace(/T00:00:00(?:\.000)?Z$/, '');

function samplesAgain(data: Entry['data']): Readonly<Record<string, string>> {
  const samples = objectAt(data, 'samples');
  if (samples === null) return {};
  const rows = (listAt(samples, 'rows') ?? [])
    .flatMap((one) => (typeof one === 'number' ? [one] : []))
    .join(',');
  if (rows !== '') return { rows };
  const count = valueAt(samples, 'count');
  return { count: typeof count === 'number' ? String(count) : '', number: textAt(samples, 'number') ?? '' };
}

function answersPanel(
  { csrf, directory }: Visit,
  answers: readonly Entry[],
  operates: boolean,
  tried: Tried | null,
): Html {
  const typed = (name: string): string => (tried?.form === 'answer' ? (tried.fields.get(name) ?? '') : '');
  return panel(
    'answers',
    'Management’s answers to exceptions',
    html`${
      answers.length === 0
        ? html`<p class="empty">None yet.</p>`
        : html`<ul class="stops">
            ${answers.map(
              (entry) =>
                html`<li id="answer-${entry.index}">
                  <p>
                    <strong><code>${short(textAt(entry.data, 'exception') ?? '', 200)}</code></strong>
                    <span class="soft"
                      >${timeAt(Date.parse(entry.at))} by ${byWords(entry.by, directory)}</span
                    >
                  </p>
                  ${quote(lines(maskText(textAt(entry.data, 'text') ?? '')))}
                </li>`,
            )}
          </ul>`
    }
    ${
      operates
        ? html`<form class="accept" method="post" action="/evidence/answer">
            ${formFields(csrf)}
            <label
              >Exception <span class="soft">by its name in the report, such as downtime/1042</span
              ><input
                type="text"
                name="exception"
                value="${line(typed('exception'))}"
                maxlength="400"
                autocomplete="off"
                required
            /></label>
            <label
              >Answer
              <span class="soft">auditors read it in every later report; the log keeps it for ever</span
              ><textarea name="reason" rows="3" maxlength="${answerCharsMax}" required>
${typed('reason')}</textarea>
            </label>
            <button type="submit">Answer</button>
          </form>`
        : nothing
    }`,
  );
}

async function shownAgain(visit: Visit, tried: Tried): Promise<Response> {
  const { status, body } = await evidencePage(visit, new URLSearchParams(), tried);
  return page(status, body);
}

/** Answers a zip; refused: the page with the words and what was typed. */
export async function evidenceMade(visit: Visit, fields: Fields, ends: AbortSignal): Promise<Response> {
  const { parts, person } = visit;
  const no = (refusal: Refusal): Promise<Response> => shownAgain(visit, { refusal, form: 'make', fields });
  const of = (name: string): string => (fields.get(name) ?? '').trim();
  const query = evidenceQueryOf({
    from: of('from'),
    to: of('to'),
    asOf: of('asOf'),
    rows: of('rows'),
    count: of('count'),
    number: of('number'),
  });
  if (!query.ok) return no(refuse('input_invalid', query.error));
  if (parts.evidence === undefined)
    return no(refuse('upstream_unavailable', 'This gate makes no evidence: it has no keys to sign it with.'));
  const made = await parts.evidence.make({ by: { kind: 'person', id: person }, query: query.value, ends });
  if (!made.ok) return no(made.error);
  const { name, packed } = made.value;
  return attachment({ name: `${name}.zip`, type: 'application/zip', text: packed.zip() });
}

export async function exceptionAnswered(visit: Visit, fields: Fields): Promise<Response> {
  const said = { exception: (fields.get('exception') ?? '').trim(), text: reasonIn(fields) ?? '' };
  const done = await answerException(visit.parts, visit.by, said, visit.once);
  return done.ok
    ? seeOther('/evidence#answers')
    : shownAgain(visit, { refusal: done.error, form: 'answer', fields });
}
