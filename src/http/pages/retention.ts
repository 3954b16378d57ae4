/**
 * What is kept how long, what is held, and what was erased; with the forms of operators. Auditors read it. Core judges who may do
 * what (core/erasure.ts); nothing here does.
 */
import { html } from 'hono/html';
import { nameOf } from '../../core/conflict.ts';
import { isAuditor, isOperator } from '../../core/directory.ts';
import type { Entry } from '../../core/entry.ts';
import { countOf, rangesIn } from '../../core/erased.ts';
import { statusOf, type Refusal } from '../../core/refusal.ts';
import { counted, line, lines, say, short, type Shown } from '../../core/render/shown.ts';
import { byWords } from '../../core/render/standing.ts';
import { erasureTextCharsMax, type Hold } from '../../core/retention.ts';
import { maskText } from '../../core/secrets.ts';
import { duration } from '../../core/time.ts';
import { mayReadRetention } from '../../app/retention.ts';
import type { Fields } from './change.ts';
import { framed, notForYou, panel, type Answer } from './frame.ts';
import { chip, formFields, nothing, pairs, quote, timeAt, type Html } from './html.ts';
import type { Visit } from './visit.ts';

/** Erasures that are listed; the log has them all. */
const erasuresMax = 20;
/** Holds that are over and still listed. */
const overMax = 20;

/** What was typed in a form that was refused. */
export interface Tried {
  readonly refusal: Refusal;
  readonly form: 'erase' | 'hold' | 'release';
  readonly fields: Fields;
}

export async function retentionPage(visit: Visit, tried: Tried | null = null): Promise<Answer> {
  const { directory, person, parts } = visit;
  if (!mayReadRetention(directory, person))
    return notForYou(visit, 'log', {
      title: 'Retention',
      text: line('What is kept, held and erased is for operators and auditors to see.'),
    });
  const operates = isOperator(directory, person);
  const all = await parts.store.holds();
  const inForce = all.filter((one) => one.released === null);
  const over = all.filter((one) => one.released !== null).slice(0, overMax);
  const body = html`${keptPanel(visit)} ${operates ? erasePanel(visit, tried) : nothing}
  ${panel(
    'holds',
    'Legal holds',
    html`${
      inForce.length === 0
        ? html`<p class="empty">Nothing is held.</p>`
        : html`<ul class="stops">
            ${inForce.map((one) => holdRow(visit, one, operates))}
          </ul>`
    }
    ${operates ? holdForm(visit, tried) : nothing}`,
  )}
  ${
    over.length === 0
      ? nothing
      : panel(
          'over',
          'Released',
          html`<ul class="stops">
            ${over.map((one) => holdRow(visit, one, false))}
          </ul>`,
        )
  }
  ${await erasuresPanel(visit)}`;
  return framed(visit, 'log', {
    title: 'Retention',
    lead: html`<p>
      Payloads can be erased: the salt and all that an action held. The place in the log, the digests and
      every proof stay and still verify. Each erasure is an entry itself.
    </p>`,
    body,
    self: '/retention',
    ...(tried === null ? {} : { refused: tried.refusal, status: statusOf(tried.refusal.code) }),
  });
}

const keptPanel = ({ about }: Visit): Html =>
  panel(
    'kept',
    'What is kept how long',
    pairs([
      [
        'payloads',
        about.payloadsMs === null
          ? line('for ever: the configuration names no retention')
          : say`${duration(about.payloadsMs)}; older ones are erased by the gate, unless they are held or open`,
      ],
      ['entries, digests, proofs', line('for ever')],
      ['backups, exports, what was shipped', line('as long as you keep them: no erasure reaches them')],
    ]),
  );

/** What stands in a field of the form that was refused. */
const typed = (tried: Tried | null, form: Tried['form'], name: string): string =>
  tried?.form === form ? (tried.fields.get(name) ?? '') : '';

const erasePanel = ({ csrf }: Visit, tried: Tried | null): Html =>
  panel(
    'erase',
    'Erase',
    html`<p>
        Nobody erases what they had a part in. What is held, not over, or not in the published log yet stays.
        What is erased is gone for good.
      </p>
      <form class="accept" method="post" action="/retention/erase">
        ${formFields(csrf)}
        <label
          >Action or approval <span class="soft">act_… or apr_…; or entries about none, as 41-43</span
          ><input type="text" name="what" value="${typed(tried, 'erase', 'what')}" maxlength="80" required
        /></label>
        <label
          >Reason <span class="soft">the log keeps it for ever</span
          ><textarea name="reason" rows="2" maxlength="${erasureTextCharsMax}" required>
${typed(tried, 'erase', 'reason')}</textarea>
        </label>
        <label
          >Basis <span class="soft">such as GDPR Art. 17; may be empty</span
          ><input type="text" name="basis" value="${typed(tried, 'erase', 'basis')}" maxlength="200"
        /></label>
        <label class="tick"
          ><input type="checkbox" name="sure" value="yes" required /> Erase it for good</label
        >
        <button type="submit">Erase</button>
      </form>`,
  );

const holdForm = ({ csrf }: Visit, tried: Tried | null): Html =>
  html`<form class="accept" method="post" action="/retention/hold">
    ${formFields(csrf)}
    <label
      >Action, approval or person <span class="soft">act_…, apr_… or a person’s id; empty: everything</span
      ><input type="text" name="what" value="${typed(tried, 'hold', 'what')}" maxlength="80"
    /></label>
    <label
      >What it is held for
      <textarea name="reason" rows="2" maxlength="${erasureTextCharsMax}" required>
${typed(tried, 'hold', 'reason')}</textarea>
    </label>
    <button type="submit">Place a hold</button>
  </form>`;

const coverage = ({ action, person }: Hold): Shown =>
  action !== null
    ? say`the action ${action}`
    : person !== null
      ? say`whatever names ${short(person, 80)}`
      : line('everything');

function holdRow({ directory, csrf }: Visit, one: Hold, releases: boolean): Html {
  const { released } = one;
  return html`<li id="${one.id}">
    <p>
      <strong>${coverage(one)}</strong>
      ${released === null ? chip('waiting', 'held') : chip('over', 'released')}
    </p>
    ${pairs([
      ['placed', html`${line(nameOf(directory, one.placedBy))}, ${timeAt(one.placedAtMs)}`],
      ...(released === null
        ? []
        : [['released', html`${line(nameOf(directory, released.by))}, ${timeAt(released.atMs)}`] as const]),
    ])}
    ${quote(lines(maskText(one.reason)))}
    ${released === null ? nothing : quote(lines(maskText(released.reason)))}
    ${
      releases
        ? html`<form class="lift" method="post" action="/retention/release">
            ${formFields(csrf)}<input type="hidden" name="hold" value="${one.id}" />
            <label
              >Why it is released
              <input type="text" name="reason" maxlength="${erasureTextCharsMax}" required
            /></label>
            <button type="submit">Release</button>
          </form>`
        : nothing
    }
  </li>`;
}

async function erasuresPanel(visit: Visit): Promise<Html> {
  const { store } = visit.parts;
  const found = await store.searchLog({
    text: null,
    type: 'payloads.erased',
    agent: null,
    operation: null,
    person: null,
    resource: null,
    verdict: null,
    policy: null,
    fromMs: null,
    toMs: null,
    before: null,
    limit: erasuresMax,
  });
  return panel(
    'erasures',
    'Erased lately',
    found.entries.length === 0
      ? html`<p class="empty">
          ${found.more ? 'Nothing lately; the log has all of it.' : 'Nothing was ever erased.'}
        </p>`
      : html`<ul class="bullets">
          ${found.entries.map(({ entry }) => erasureRow(visit, entry))}
        </ul>`,
  );
}

function erasureRow({ directory, person }: Visit, { index, at, by, data }: Entry): Html {
  const text = (name: string): string => {
    const value = data[name];
    return typeof value === 'string' ? maskText(value) : '';
  };
  const count = countOf(rangesIn(data));
  const link = isAuditor(directory, person)
    ? html`<a href="/log/${index}">entry ${index}</a>`
    : html`entry ${index}`;
  return html`<li>
    ${say`${byWords(by, directory)}: ${counted(count, 'payload', 'payloads')}`}, ${timeAt(Date.parse(at))},
    ${link} ${quote(lines(text('basis') === '' ? text('reason') : `${text('reason')} (${text('basis')})`))}
  </li>`;
}
