/** What the reading pages share: a title and a lead, marks of actions in lists, and the answer to whoever may not read one. */
import { html } from 'hono/html';
import { glanceWords } from '../../core/render/glance.ts';
import type { Shown } from '../../core/render/shown.ts';
import type { Line } from '../../core/render/json-lines.ts';
import { tokensOf } from '../../core/render/json-lines.ts';
import { line, lines, short } from '../../core/render/shown.ts';
import { gateAgent } from '../../core/gate.ts';
import type { Refusal } from '../../core/refusal.ts';
import type { Glance } from '../../ports/overview.ts';
import { chip, nothing, timeAgo, type Html } from './html.ts';
import { layout, type LayoutOptions } from './layout.ts';
import { refused } from './message.ts';
import { page } from './responses.ts';
import { pathOf } from './routes.ts';
import { layoutOf, waitingFor, type Visit } from './visit.ts';

export interface Answer {
  readonly status: number;
  readonly body: Html;
}

/** A whole page of a title, a lead and what follows. */
export async function framed(
  visit: Visit,
  at: LayoutOptions['page'],
  of: {
    readonly title: string;
    readonly lead: Html;
    readonly body: Html;
    readonly crumb?: Html;
    readonly status?: number;
    readonly self?: string;
    /** What was just refused, in words. */
    readonly refused?: { readonly detail: string; readonly code: string } | null;
  },
): Promise<Answer> {
  const options = layoutOf(visit, await waitingFor(visit), at, '');
  const no = of.refused ?? null;
  const body = html`<div class="sheets">
    <header class="title">
      ${of.crumb === undefined ? nothing : html`<p class="crumbs">${of.crumb}</p>`}
      <h1>${of.title}</h1>
      <div class="soft">${of.lead}</div>
    </header>
    ${no === null ? nothing : html`<p class="banner" role="alert"><strong>Not done.</strong> ${line(no.detail)} <code>${no.code}</code></p>`}
    ${of.body}
  </div>`;
  return {
    status: of.status ?? 200,
    body: layout(of.title, body, of.self === undefined ? options : { ...options, self: of.self }),
  };
}

/** What was refused, as a page of its own: there is no form to show it beside. */
export async function refusalPage(visit: Visit, error: Refusal): Promise<Response> {
  const { status, body } = refused(error, layoutOf(visit, await waitingFor(visit), 'message', ''));
  return page(status, body);
}

/** For whoever may not read a page: what it is, and who may. */
export async function notForYou(
  visit: Visit,
  at: LayoutOptions['page'],
  of: { readonly title: string; readonly text: Shown },
): Promise<Answer> {
  const body = html`<section class="message">
    <h1>${of.title}</h1>
    <p>${of.text}</p>
    <p><a class="button" href="/inbox">To the inbox</a></p>
  </section>`;
  return { status: 403, body: layout(of.title, body, layoutOf(visit, await waitingFor(visit), at, '')) };
}

/** One panel of a page. */
export const panel = (id: string, title: Html | string, body: Html): Html =>
  html`<section class="panel" aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${body}
  </section>`;

/** A table; on a phone each row is a block of its own, its cells under each other with their heads. */
export const table = (
  label: string,
  heads: readonly string[],
  rows: readonly (readonly (Html | string)[])[],
): Html =>
  html`<div class="table" role="region" aria-label="${label}" tabindex="0">
    <table role="table">
      <thead role="rowgroup">
        <tr role="row">
          ${heads.map((head) => html`<th scope="col" role="columnheader">${head}</th>`)}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.map(
          (cells) =>
            html`<tr role="row">
              ${cells.map((cell, index) => html`<td role="cell" data-head="${heads[index] ?? ''}"><span>${cell}</span></td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;

/** A link to an agent, where the reader may read it. The gate has no page of an agent. */
export const agentLink = (id: string): Html =>
  id === gateAgent ? html`${line(id)}` : html`<a href="${pathOf('/agent', { id })}">${line(id)}</a>`;

/** The mark of what became of an action. */
export function glanceChip({ verdict, state, mode, glass }: Glance): Html {
  const { text, tone } = glanceWords(verdict, state, glass === undefined ? mode : 'glass');
  return chip(tone, text);
}

/** An action that the reader may see, in a list: its operation, what became of it, when. */
export function glanceRow(visit: Visit, one: Glance, showsAgent: boolean): Html {
  const { verdict, state, mode, glass, approval } = one;
  const name = html`<code>${short(one.operation, 160)}</code>`;
  const { observed } = glanceWords(verdict, state, glass === undefined ? mode : 'glass');
  return html`<li>
    <span class="what"
      >${approval !== null ? html`<a href="/approvals/${approval}">${name}</a>` : name}${showsAgent ? html` <span class="soft">${short(one.agent, 80)}</span>` : nothing}</span
    >
    <span class="aside">${glanceChip(one)} ${timeAgo(one.atMs, visit.nowMs)}</span>
    ${observed === null ? nothing : html`<span class="note">${observed}</span>`}
  </li>`;
}

/** Text of a file as numbered lines; hidden characters are marked. */
export const textLines = (text: string): readonly Line[] =>
  lines(text.replaceAll('\t', '  ').replaceAll('\r\n', '\n')).map((row) => ({
    depth: 0,
    block: false,
    tokens: tokensOf(row, 'text'),
  }));
