/**
 * Draws the Block Kit that the gate sends, and no other: a drawing after how Slack's clients look, made by us, because no client of
 * Slack runs without Slack. Where it differs from theirs, theirs is right. Everything is HTML that runs nothing.
 */
import type {
  Block,
  ButtonElement,
  HomeView,
  ModalView,
  PlainText,
  RichElement,
  RichPart,
} from '../../src/channels/slack/blocks.ts';
import { escaped, iconSvg } from './page.ts';

export type SlackSurface =
  | { readonly as: 'message'; readonly blocks: readonly Block[]; readonly at: string }
  /** Seen by one person alone. */
  | { readonly as: 'ephemeral'; readonly blocks: readonly Block[]; readonly at: string }
  | { readonly as: 'modal'; readonly view: ModalView }
  | { readonly as: 'home'; readonly view: HomeView };

/** The inside of a page; {@link slackCss} goes with it. */
export function slackHtml(surface: SlackSurface): string {
  switch (surface.as) {
    case 'message':
    case 'ephemeral':
      return message(surface);
    case 'modal':
      return modal(surface.view);
    case 'home':
      return `<div class="home">${surface.view.blocks.map(block).join('')}</div>`;
  }
}

const message = ({ as, blocks, at }: Extract<SlackSurface, { readonly blocks: unknown }>): string => `
  <div class="message"><div class="icon">${iconSvg}</div><div class="body">
    <div class="who"><b>Countersign</b> <span class="app">APP</span> <span class="at">${escaped(at)}</span></div>
    ${as === 'ephemeral' ? '<div class="only">Only visible to you</div>' : ''}
    ${blocks.map(block).join('')}
  </div></div>`;

const modal = ({ title, close, submit, blocks }: ModalView): string => `
  <div class="modal"><h1>${words(title)}</h1>${blocks.map(block).join('')}
    <div class="ends"><span class="button">${words(close)}</span>${
      submit === undefined ? '' : `<span class="button primary">${words(submit)}</span>`
    }</div></div>`;

const words = ({ text }: PlainText): string => escaped(text);

function block(one: Block): string {
  switch (one.type) {
    case 'header':
      return `<div class="header">${words(one.text)}</div>`;
    case 'divider':
      return '<hr>';
    case 'actions':
      return `<div class="actions">${one.elements.map(button).join('')}</div>`;
    case 'rich_text':
      return `<div class="rich">${one.elements.map(part).join('')}</div>`;
    case 'input':
      return input(one);
  }
}

function input({ label, hint, optional, element }: Extract<Block, { readonly type: 'input' }>): string {
  const field =
    element.type === 'plain_text_input'
      ? '<div class="field">Write something</div>'
      : element.options
          .map(
            ({ text, description }) =>
              `<div class="option"><i></i><div>${words(text)}${
                description === undefined ? '' : `<small>${words(description)}</small>`
              }</div></div>`,
          )
          .join('');
  return `<div class="input"><b>${words(label)}</b>${optional ? ' <span class="at">(optional)</span>' : ''}${field}${
    hint === undefined ? '' : `<small>${words(hint)}</small>`
  }</div>`;
}

const button = ({ text, style }: ButtonElement): string =>
  `<span class="button ${style ?? ''}">${words(text)}</span>`;

function part(one: RichPart): string {
  switch (one.type) {
    case 'rich_text_section':
      return `<div class="section">${inside(one.elements)}</div>`;
    case 'rich_text_list':
      return `<ul>${one.elements.map((each) => `<li>${inside(each.elements)}</li>`).join('')}</ul>`;
    case 'rich_text_preformatted':
      return `<pre>${inside(one.elements)}</pre>`;
    case 'rich_text_quote':
      return `<blockquote>${inside(one.elements)}</blockquote>`;
  }
}

const inside = (elements: readonly RichElement[]): string => elements.map(inline).join('');

function inline(one: RichElement): string {
  if (one.type === 'link') return `<a>${escaped(one.text)}</a>`;
  const { bold, italic, code } = one.style ?? {};
  let html = escaped(one.text);
  if (code === true) html = `<code>${html}</code>`;
  if (italic === true) html = `<em>${html}</em>`;
  return bold === true ? `<b>${html}</b>` : html;
}

/** Sizes and colours near those of Slack's own clients. */
export const slackCss = `
  :root { --ink: #1d1c1d; --dim: #616061; --paper: #fff; --line: #ddd; --soft: #f8f8f8; --code: #c01343; --edge: #bbb; }
  .dark { --ink: #d1d2d3; --dim: #9a9b9e; --paper: #1a1d21; --line: #35373b; --soft: #222529; --code: #e8912d; --edge: #565856; }
  body { font: 15px/1.4667 Lato, 'Liberation Sans', Arial, sans-serif; color: var(--ink); background: var(--paper); }
  .message { display: flex; gap: 8px; padding: 16px 20px 8px; }
  .body { min-width: 0; flex: 1; }
  .icon svg { width: 36px; height: 36px; border-radius: 6px; display: block; }
  .app { font-size: 10px; font-weight: bold; background: var(--line); border-radius: 2px; padding: 1px 3px; vertical-align: 1px; }
  .at, .only, small { font-size: 12px; color: var(--dim); }
  .header { font-size: 18px; font-weight: 900; line-height: 1.33; margin: 8px 0; overflow-wrap: anywhere; }
  .rich { margin: 4px 0 8px; }
  .section, li, blockquote { white-space: pre-wrap; overflow-wrap: anywhere; }
  b { font-weight: 700; }
  ul { margin: 0; padding-left: 26px; }
  pre, .field { border: 1px solid var(--line); border-radius: 4px; background: var(--soft); }
  pre { font: 12px/1.5 Monaco, Menlo, 'Liberation Mono', monospace; margin: 4px 0; padding: 8px; white-space: pre-wrap; overflow-wrap: anywhere; }
  code { font: 12px Monaco, Menlo, 'Liberation Mono', monospace; color: var(--code); border: 1px solid var(--line); border-radius: 3px; background: var(--soft); padding: 2px 3px 1px; }
  blockquote { margin: 4px 0; padding-left: 12px; border-left: 4px solid var(--line); }
  a { color: #1264a3; }
  .actions { display: flex; flex-wrap: wrap; gap: 8px; margin: 8px 0; }
  .button { border: 1px solid var(--edge); border-radius: 8px; padding: 0 12px; font-size: 15px; font-weight: bold; line-height: 34px; }
  .primary { background: #007a5a; border-color: #007a5a; color: #fff; }
  .danger { background: #e01e5a; border-color: #e01e5a; color: #fff; }
  .modal { max-width: 520px; margin: 16px; padding: 4px 24px 20px; border: 1px solid var(--edge); border-radius: 8px; }
  .modal h1 { font-size: 22px; margin: 12px 0; }
  .home { padding: 16px 28px; }
  .ends { display: flex; justify-content: flex-end; gap: 12px; margin-top: 16px; }
  .input { margin: 12px 0; }
  .input small { display: block; }
  .field { margin: 6px 0; padding: 8px 12px 48px; color: var(--dim); }
  .option { display: flex; gap: 8px; margin: 6px 0; }
  .option i { width: 16px; height: 16px; border: 1px solid var(--ink); border-radius: 2px; margin-top: 3px; }
`;
