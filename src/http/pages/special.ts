/** The three cases that matter most (design §7), and what the gate read upstream, as tables and diffs. */
import { html } from 'hono/html';
import type { ChangeView, ConfigChangeView } from '../../core/render/config-change.ts';
import type { Column, ExportView } from '../../core/render/export.ts';
import type { Fate, InfrastructureView, Thing } from '../../core/render/infrastructure.ts';
import type { LookBody, LookView } from '../../core/render/look.ts';
import type { Presentation } from '../../core/render/present.ts';
import type { PrivilegeView } from '../../core/render/privilege.ts';
import type { Field } from '../../core/render/field.ts';
import { counted, listed } from '../../core/render/shown.ts';
import { code } from './exact.ts';
import { chip, fact, nothing, pairs, timeAgo, timeAt, type Html } from './html.ts';

export function specialSection({ special }: Presentation): Html {
  switch (special?.kind) {
    case 'export':
      return exported(special);
    case 'privilege':
      return privilege(special);
    case 'infrastructure':
      return infrastructure(special);
    case 'config':
      return configChange(special);
    case undefined:
      return nothing;
  }
}

const literal = (one: Field): readonly [string, Html] => [
  one.label,
  one.literal ? html`<code>${one.value}</code>` : html`${one.value}`,
];

/** Classes that concern a person or are secret stand out. */
const grave = /personal|pii|sensitive|secret|health|financial|confidential|restricted|credential/i;

function column({ name, dataClass }: Column): Html {
  const plain = dataClass === null || dataClass === 'none';
  return html`<li class="${!plain && grave.test(dataClass) ? 'grave' : 'plain'}">
    <code>${name}</code>${plain ? nothing : html`<span>${dataClass}</span>`}
  </li>`;
}

function exported(one: ExportView): Html {
  const columns = one.columns.map(column);
  const body = html`<p class="measure">
      ${one.measured === null ? html`<b class="missing">not measured</b>` : html`<b>${one.measured}</b>`}${one.classes === null ? nothing : html`<span>${one.classes}</span>`}
    </p>
    ${
      columns.length === 0
        ? nothing
        : html`<ul class="columns-list" aria-label="Columns">
            ${columns}
          </ul>`
    }
    ${pairs(one.fields.map(literal))}`;
  return fact('special', 'What would leave', body);
}

function privilege(one: PrivilegeView): Html {
  const today =
    one.holds === null
      ? html`<span class="missing">not read</span>`
      : one.holds.length === 0
        ? html`nothing that was found`
        : html`${listed(one.holds)}`;
  const body = html`${one.selfGain === null ? nothing : html`<p class="alarm">${one.selfGain}</p>`}
  ${pairs([...one.fields.map(literal), ['holds today', today]])}
  ${one.hasAlready === true ? html`<p class="soft">The same role in the same scope is held already.</p>` : nothing}`;
  return fact('special', 'Who gains what', body);
}

const fateWords: Readonly<Record<Fate, string>> = {
  destroy: 'destroyed',
  replace: 'replaced',
  update: 'changed',
  create: 'created',
};

function infrastructure(one: InfrastructureView): Html {
  const body = html`<p class="measure"><b>${one.summary}</b></p>
    <ul class="things">
      ${one.things.map(thing)}
    </ul>
    ${one.more === 0 ? nothing : html`<p class="soft">and ${one.more} more</p>`}`;
  return fact('special', 'What would change', body);
}

const thing = (one: Thing): Html =>
  html`<li class="${one.fate}">
    <span class="fate">${fateWords[one.fate]}</span><span class="kind">${one.kind}</span
    ><code>${one.name}</code
    >${one.stateful ? chip('bad', 'keeps data') : nothing}${one.detail === null ? nothing : html`<span class="soft">${one.detail}</span>`}
  </li>`;

/** Every difference in words first; then each literally, before and after. */
function configChange({ origin, changes }: ConfigChangeView): Html {
  const body = html`${origin.map((one) => html`<p>${one}</p>`)}
    <ul class="things">
      ${changes.map(
        (one) =>
          html`<li class="${one.inForce ? 'plain' : 'update'}">
            <span dir="auto">${one.says}</span>${one.inForce ? chip('over', 'in force already') : nothing}
          </li>`,
      )}
    </ul>
    ${changes.map(changed)}`;
  return fact('special', 'What would change', body, true);
}

const changed = (one: ChangeView): Html =>
  html`<div class="changed">
    <h3><code>${one.name}</code></h3>
    ${lookBody({ as: 'diff', rows: one.rows })}
  </div>`;

/** A diff is for everybody; what a special section has told already waits closed. */
export function lookSections({ looks, special, nowMs }: Presentation): Html {
  return html`${looks.map((one) => lookSection(one, special === null, nowMs))}`;
}

function lookSection(one: LookView, open: boolean, nowMs: number): Html {
  const told = open || one.bodies.some((body) => body.as === 'diff' || body.as === 'failed');
  const what = one.which === 'before' ? 'Before' : 'Preview';
  return html`<section class="fact wide look"><details${told ? html` open` : nothing} id="look-${one.which}">
<summary><h2>${what}: <code>${one.tool}</code></h2><span class="soft">read ${timeAgo(one.atMs, nowMs)}</span></summary>
<p class="soft">The gate asked the tool at ${timeAt(one.atMs)}. It informs; the action is not bound to it, and the tool could be wrong.</p>
${one.bodies.map(lookBody)}
</details></section>`;
}

function lookBody(body: LookBody): Html {
  switch (body.as) {
    case 'failed':
      return html`<p class="alarm">It failed: ${body.detail}</p>`;
    case 'json':
      return html`${code(body.lines, 'Answer')}${body.whole ? nothing : html`<p class="soft">The rest is not shown.</p>`}`;
    case 'table':
      return html`<div class="table" role="region" aria-label="${body.title}" tabindex="0">
          <table>
            <caption>
              ${body.title}
            </caption>
            <thead>
              <tr>
                ${body.columns.map((name) => html`<th scope="col">${name}</th>`)}
              </tr>
            </thead>
            <tbody>
              ${body.rows.map(
                (row) =>
                  html`<tr>
                    ${row.map((value) => html`<td dir="auto">${value}</td>`)}
                  </tr>`,
              )}
            </tbody>
          </table>
        </div>
        ${body.more === 0 ? nothing : html`<p class="soft">and ${counted(body.more, 'more row', 'more rows')}</p>`}`;
    case 'diff':
      return body.rows.length === 0
        ? html`<p>No line would change.</p>`
        : html`<div class="code diff" role="region" aria-label="What would change" tabindex="0">
            <ol>
              ${body.rows.map(diffRow)}
            </ol>
          </div>`;
  }
}

const diffRow = (row: { readonly kind: string; readonly text: string }): Html =>
  row.kind === 'skipped'
    ? html`<li class="skipped"><span>${row.text} unchanged lines</span></li>`
    : html`<li class="${row.kind}">
        <span><bdi>${row.text}</bdi></span>
      </li>`;
