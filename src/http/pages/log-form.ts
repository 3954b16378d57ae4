/** The forms of the log's page: what is looked for, and the same taken away as a file. */
import { html } from 'hono/html';
import { anybodyIn } from '../../core/directory.ts';
import { entryTypes } from '../../core/entry.ts';
import { asPersonId } from '../../core/ids.ts';
import { line } from '../../core/render/shown.ts';
import { exportFormats } from '../../app/log-export.ts';
import {
  fieldCharsMax,
  isSearch,
  notUnderstood,
  saidOf,
  wantedNames,
  type Wanted,
} from '../../app/log-wanted.ts';
import { formFields, nothing, type Html } from './html.ts';
import type { Visit } from './visit.ts';

/** Names that the form offers; others can be typed. */
const offeredMax = 200;

const offered = (id: string, all: readonly string[]): Html =>
  html`<datalist id="${id}">
    ${all.slice(0, offeredMax).map((name) => html`<option value="${line(name)}"></option>`)}
  </datalist>`;

const option = (value: string, text: string, chosen: string): Html =>
  html`<option value="${value}" ${value === chosen ? html` selected` : nothing}>${text}</option>`;

/** What a verdict is called on the page. */
const verdictWords = [
  ['allow', 'allowed'],
  ['review', 'held for people'],
  ['deny', 'denied'],
] as const;

const field = (
  wanted: Wanted,
  name: 'agent' | 'operation' | 'resource' | 'policy',
  label: string,
  list?: string,
): Html =>
  html`<label for="search-${name}">${label}</label
    ><input
      id="search-${name}"
      name="${name}"
      type="text"
      value="${wanted[name]}"
      maxlength="${fieldCharsMax}"
      ${list === undefined ? nothing : html`list="${list}"`}
      autocomplete="off"
    />`;

/** A moment, as a link of the API's may have it, is no day: such a field shows it as text. */
const day = (wanted: Wanted, name: 'from' | 'to', label: string): Html =>
  html`<label for="search-${name}">${label} <span class="soft">UTC</span></label
    ><input
      id="search-${name}"
      name="${name}"
      type="${/^(?:\d{4}-\d{2}-\d{2})?$/.test(wanted[name]) ? 'date' : 'text'}"
      value="${wanted[name]}"
    />`;

export function searchForm(visit: Visit, wanted: Wanted): Html {
  const more = wantedNames.some((name) => name !== 'text' && wanted[name] !== '');
  return html`<form class="filter" method="get" action="/log" role="search">
    <label for="search-text">Search</label
    ><input
      id="search-text"
      name="text"
      type="search"
      value="${wanted.text}"
      maxlength="${fieldCharsMax}"
      placeholder="text, act_…, apr_…"
    />
    <button type="submit">Search</button>
    ${isSearch(wanted) ? html`<a href="/log">Clear</a>` : nothing}
    <details id="filters" ${more ? html` open` : nothing}>
      <summary>Filters</summary>
      ${filters(visit, wanted)}
    </details>
  </form>`;
}

function filters({ directory, parts }: Visit, wanted: Wanted): Html {
  // Somebody who is in the directory no longer can still be looked for by a link.
  const gone = wanted.person !== '' && anybodyIn(directory, asPersonId(wanted.person)) === undefined;
  return html`<div class="fields">
      <div>
        <label for="search-type">Kind</label>
        <select id="search-type" name="type">
          ${option('', 'any', wanted.type)}${entryTypes.map((type) => option(type, type, wanted.type))}
        </select>
      </div>
      <div>
        <label for="search-person">Person</label>
        <select id="search-person" name="person">
          ${option('', 'anybody', wanted.person)}${directory.people.map((one) => option(one.id, line(one.name), wanted.person))}${gone ? option(wanted.person, line(wanted.person), wanted.person) : nothing}
        </select>
      </div>
      <div>${field(wanted, 'agent', 'Agent', 'agents')}</div>
      <div>${field(wanted, 'operation', 'Operation', 'operations')}</div>
      <div>${field(wanted, 'resource', 'Resource')}</div>
      <div>
        <label for="search-verdict">Policies said</label>
        <select id="search-verdict" name="verdict">
          ${option('', 'anything', wanted.verdict)}${verdictWords.map(([value, text]) => option(value, text, wanted.verdict))}
        </select>
      </div>
      <div>${field(wanted, 'policy', 'Policy', 'policies')}</div>
      <div>${day(wanted, 'from', 'From')}</div>
      <div>${day(wanted, 'to', 'To, with that day')}</div>
    </div>
    ${offered(
      'agents',
      directory.agents.map((agent) => agent.id),
    )}
    ${offered(
      'operations',
      parts.world.catalog.entries.map((one) => one.operation),
    )}
    ${offered(
      'policies',
      parts.policy.policies().map((one) => one.id),
    )}`;
}

const formatWords: Readonly<Record<(typeof exportFormats)[number], string>> = {
  csv: 'CSV',
  jsonl: 'JSON Lines',
  ocsf: 'OCSF',
};

/** What is looked for, as a file. A post, because it leaves an entry. Nothing where a field could not be understood. */
export const exportForm = ({ csrf }: Visit, wanted: Wanted): Html =>
  notUnderstood(wanted).length > 0
    ? nothing
    : html`<form class="export" method="post" action="/log/export">
        ${formFields(csrf)}
        ${Object.entries(saidOf(wanted)).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
        <span class="soft">${isSearch(wanted) ? 'Export what was found as' : 'Export the log as'}</span>
        ${exportFormats.map((format) => html`<button type="submit" name="format" value="${format}">${formatWords[format]}</button>`)}
      </form>`;
