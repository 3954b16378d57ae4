/** Out of office: who stands in for the reader, for whom they stand in, and the forms that arrange and end it. */
import { html } from 'hono/html';
import { nameOf } from '../../core/conflict.ts';
import { delegationMaxMs, type Delegation } from '../../core/delegation.ts';
import { personIn } from '../../core/directory.ts';
import { line, say, type Shown } from '../../core/render/shown.ts';
import { rfc3339 } from '../../core/time.ts';
import { panel } from './frame.ts';
import { formFields, nothing, timeAt, type Html } from './html.ts';
import type { Visit } from './visit.ts';

/** Absences that are over and still listed. */
const overMax = 10;

/** The section of a person's own page. */
export async function awaySection(visit: Visit): Promise<Html> {
  const all = await visit.parts.store.delegationsOf(visit.person);
  const open = all.filter((one) => one.endedAtMs === null && visit.nowMs < one.untilMs);
  const over = all.filter((one) => !open.includes(one)).slice(0, overMax);
  return html`${panel(
    'away',
    'Who stands in',
    html`<p>
        Whoever stands in for you may approve what waits for you, and deny it. Not where one of you is in its
        conflict set, not where a passkey is asked for, and the two of you count once. They hand nothing on.
      </p>
      ${
        open.length === 0
          ? html`<p class="empty">Nobody stands in for you, and you stand in for nobody.</p>`
          : html`<ul class="bullets">
              ${open.map((one) => row(visit, one, true))}
            </ul>`
      }
      ${form(visit)}`,
  )}
  ${
    over.length === 0
      ? nothing
      : panel(
          'away-over',
          'Over',
          html`<ul class="bullets">
            ${over.map((one) => row(visit, one, false))}
          </ul>`,
        )
  }`;
}

const words = ({ directory, person }: Visit, { from, to }: Delegation): Shown =>
  from === person
    ? say`${line(nameOf(directory, to))} stands in for you`
    : say`You stand in for ${line(nameOf(directory, from))}`;

const row = (visit: Visit, one: Delegation, ends: boolean): Html =>
  html`<li>
    ${words(visit, one)}, from ${timeAt(one.fromMs)} until
    ${timeAt(one.endedAtMs ?? one.untilMs)}${one.endedAtMs === null ? nothing : ', when it was ended'}
    ${
      ends
        ? html`<form class="inline" method="post" action="/account/away-end">
            ${formFields(visit.csrf)}<input type="hidden" name="delegation" value="${one.id}" /><button
              class="quiet"
              type="submit"
            >
              End it now
            </button>
          </form>`
        : nothing
    }
  </li>`;

/** Colleagues of the reader's own groups are offered; anybody else is named by their id. */
function form({ directory, person, csrf, nowMs }: Visit): Html {
  const groups = personIn(directory, person)?.groups ?? [];
  const near = directory.people.filter(
    (one) => one.id !== person && one.active !== false && one.groups.some((group) => groups.includes(group)),
  );
  const day = (ms: number): string => rfc3339(ms).slice(0, 10);
  return html`<form class="accept" method="post" action="/account/away">
    ${formFields(csrf)}
    <label for="away-to">Who stands in <span class="soft">their id</span></label>
    <input
      id="away-to"
      name="to"
      type="search"
      list="away-people"
      maxlength="64"
      autocomplete="off"
      required
    />
    <datalist id="away-people">
      ${near.map((one) => html`<option value="${one.id}">${line(one.name)}</option>`)}
    </datalist>
    <label for="away-from"
      >From <span class="soft">the beginning of that day, UTC; today: at once</span></label
    >
    <input id="away-from" name="from" type="date" min="${day(nowMs)}" value="${day(nowMs)}" required />
    <label for="away-until">Until <span class="soft">the end of that day, UTC</span></label>
    <input
      id="away-until"
      name="until"
      type="date"
      min="${day(nowMs)}"
      max="${day(nowMs + 4 * delegationMaxMs)}"
      required
    />
    <button type="submit">Let them stand in</button>
  </form>`;
}
