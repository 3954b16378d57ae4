/** The exact action, literally: fields, remarks of the gate, the whole input with line numbers. */
import { html } from 'hono/html';
import type { Exact } from '../../core/render/exact.ts';
import type { Line, Token } from '../../core/render/json-lines.ts';
import type { Note } from '../../core/render/notes.ts';
import type { Presentation } from '../../core/render/present.ts';
import { fact, nothing, pairs, type Html } from './html.ts';

export function exactSection({ exact }: Presentation): Html {
  const body = html`${pairs(exact.fields.map((one) => [one.label, one.literal ? html`<code>${one.value}</code>` : one.value]))}
    ${
      exact.notes.length === 0
        ? nothing
        : html`<ul class="notes">
            ${exact.notes.map(note)}
          </ul>`
    }
    <h3 class="code-title">
      Input<span>${exact.input.length} ${exact.input.length === 1 ? 'line' : 'lines'}</span>
    </h3>
    ${hiddenNote(exact)} ${code(exact.input, 'Input of the action')}
    ${exact.whole || exact.hidden === true ? nothing : html`<p class="alarm">This action is larger than can be shown and read here, so it cannot be approved here.</p>`}
    <p class="digest">Digest <code>${exact.digest}</code></p>`;
  return fact('exact', 'The exact action', body, true);
}

const note = (one: Note): Html =>
  html`<li class="${one.kind}">
    ${one.path === '' ? nothing : html`<code>${one.path}</code> `}${one.text}
  </li>`;

/** Lines with numbers; the numbers are drawn by the style and are no part of what is copied. */
export function code(rows: readonly Line[], label: string): Html {
  return html`<div class="code" role="region" aria-label="${label}" tabindex="0">
    <ol>
      ${rows.map(row)}
    </ol>
  </div>`;
}

function row(one: Line): Html {
  const depth = Math.min(one.depth, 12);
  return html`<li class="d${depth}${one.block ? ' block' : ''}">
    <span>${one.tokens.length === 0 ? ' ' : one.tokens.map(token)}</span>
  </li>`;
}

/** Each token is isolated, so that right-to-left text cannot reorder what stands beside it. */
const token = (one: Token): Html =>
  one.kind === 'mark' ? html`${one.text}` : html`<bdi class="${one.kind}">${one.text}</bdi>`;

function hiddenNote({ hidden, erased }: Exact): Html {
  if (erased !== undefined)
    return html`<p class="soft">
      Erased, as entry ${erased} of the log says. The digest still names exactly this action.
    </p>`;
  return hidden === true
    ? html`<p class="soft">
        Not yours to see. The digest names exactly this action, and a denial names it too.
      </p>`
    : nothing;
}
