/**
 * The small pieces that pages are made of. Everything goes through `hono/html`, which escapes; only strings are ever put
 * into a template, because an object of an agent's making could pose as markup that is escaped already.
 */
import { html } from 'hono/html';
import { clock, type Shown } from '../../core/render/shown.ts';
import { duration, rfc3339 } from '../../core/time.ts';
import type { Tone } from '../../core/render/standing.ts';
import { newOnce, onceField } from './once.ts';

/** A piece of a page. */
export type Html = ReturnType<typeof html>;

export const nothing: Html = html``;

/** A status in a few words; never by colour alone. */
export const chip = (tone: Tone | 'plain' | 'env', text: string): Html =>
  html`<span class="chip ${tone}">${text}</span>`;

/** A time, absolute; the script adds the reader's own clock as a title. */
export const timeAt = (ms: number): Html => html`<time datetime="${rfc3339(ms)}">${clock(ms)}</time>`;

/** A time that has passed, relative. */
export const timeAgo = (ms: number, nowMs: number): Html =>
  html`<time datetime="${rfc3339(ms)}" data-ago
    >${nowMs - ms < 1000 ? 'just now' : `${duration(nowMs - ms)} ago`}</time
  >`;

/** What is left until a time; the script counts it down. */
export const timeLeft = (untilMs: number, nowMs: number): Html =>
  html`<time datetime="${rfc3339(untilMs)}" data-left title="${clock(untilMs)}"
    >${duration(untilMs - nowMs)} left</time
  >`;

/** The hidden fields of a form: one proves that it is ours, one names this sending of it (once.ts). */
export const formFields = (csrf: string): Html =>
  html`<input type="hidden" name="csrf" value="${csrf}" /><input
      type="hidden"
      name="${onceField}"
      value="${newOnce()}"
    />`;

/** Somebody else's words, line by line. */
export const quote = (rows: readonly Shown[]): Html =>
  html`<blockquote>${rows.map((row) => html`<p dir="auto">${row}</p>`)}</blockquote>`;

/** A definition list of labels and values. */
export const pairs = (rows: readonly (readonly [label: string, value: Html | Shown])[]): Html =>
  html`<dl class="pairs">
    ${rows.map(
      ([label, value]) =>
        html`<div>
          <dt>${label}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;

/** One fact of an approval: its name in the margin, its content beside it; `wide` puts the name above. */
export const fact = (id: string, title: Html | string, body: Html, wide = false): Html =>
  html`<section class="fact${wide ? ' wide' : ''}" aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    <div>${body}</div>
  </section>`;
