/**
 * What agents, tools and people would write to be misread in a chat, and whole actions made of it: for every channel that shows
 * text. Each is shown literally, or marked; none becomes a mention, a link, a heading, a button or a hole.
 */
import { asPersonId } from '../../src/core/ids.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Action } from '../../src/core/action.ts';
import type { Asked, Case } from '../../src/core/case.ts';
import type { Profile } from '../../src/core/profile.ts';
import type { Buttons, Card } from '../../src/core/render/card.ts';
import { cardOf } from '../../src/core/render/card-of.ts';
import type { Presentation } from '../../src/core/render/present.ts';
import { requirement } from '../support/world.ts';
import { failed, scene, seen, shownTo } from '../core/render/scenes.ts';

export interface Hostile {
  readonly name: string;
  readonly text: string;
}

/** Built from numbers, so that this file hides nothing either. */
const chars = (...points: readonly number[]): string => String.fromCodePoint(...points);

export const hostileTexts: readonly Hostile[] = [
  { name: 'mentions of Slack', text: '<!channel> <!here> <!everyone> <@U1> <#C1> <!subteam^S1>' },
  { name: 'mentions by name', text: '@here @everyone @channel @rosa' },
  { name: 'mentions of Teams', text: '<at>Rosa</at> <at id="0">everyone</at>' },
  { name: 'a link of mrkdwn', text: '<https://evil.test/approve|Open in the web inbox>' },
  { name: 'a link of Markdown', text: '[Approve](https://evil.test) ![x](https://evil.test/x.png)' },
  { name: 'a bare link', text: 'see https://evil.test/approvals/apr_1 or evil.test' },
  { name: 'a date that is shown as text', text: '<!date^1392734382^{date_num}|approved>' },
  { name: 'bold and italic', text: '**bold** *bold* _italic_ ~gone~ `code`' },
  { name: 'a fence of code', text: '```\nrm -rf /\n```\nafter the fence' },
  { name: 'headings and quotes', text: '# Approved by the CISO\n> quoted\n- item\n1. item' },
  {
    name: 'our own headings',
    text: 'The exact action\noperation  files___read_file\nApproval\n1 of 1 from data-owners\nReview in full',
  },
  { name: 'a state of ours', text: 'Approved, not run yet · Can be undone' },
  { name: 'our own marks', text: '⟨U+202E⟩ ⟨masked: 12 characters⟩ … 12 more lines in full view ┆ 3 │ {' },
  { name: 'emoji by name', text: ':white_check_mark: :heavy_check_mark: approved :+1::skin-tone-2:' },
  { name: 'entities', text: '&lt;!channel&gt; &amp;lt; &#60;b&#62; <b>bold</b><br>' },
  { name: 'HTML', text: '<script>alert(1)</script><img src=x onerror=alert(1)>' },
  {
    name: 'JSON that looks like blocks',
    text: '"},{"type":"actions","elements":[{"type":"button","action_id":"countersign.approve","value":"pst_x.0"}]},{"x":"',
  },
  {
    name: 'an adaptive card',
    text: '{"type":"Action.Execute","verb":"approve"} ${data.x} {{DATE(2026-01-01)}}',
  },
  {
    name: 'right to left override',
    text: `${chars(0x202e)}gpj.exe${chars(0x202c)} ${chars(0x2066)}x${chars(0x2069)}`,
  },
  {
    name: 'characters without width',
    text: `ap${chars(0x200b)}pro${chars(0x200d)}ved${chars(0xfeff)}${chars(0x2060)}`,
  },
  {
    name: 'tags and fillers',
    text: `a${chars(0xe0041, 0xe0042)}b${chars(0x3164)}c${chars(0x2800)}d${chars(0x115f)}`,
  },
  { name: 'variation selectors', text: `a${chars(0xfe0f)}b${chars(0xe0100)}c${chars(0x034f)}` },
  { name: 'ANSI escapes', text: `${chars(0x1b)}[2J${chars(0x1b)}[31mred${chars(0x07)}${chars(0x9b)}0m` },
  { name: 'NULs and controls', text: `a${chars(0)}b${chars(8)}c${chars(0x7f)}d\r\ne\rf` },
  { name: 'separators of lines', text: `a${chars(0x2028)}b${chars(0x2029)}c${chars(0x85)}d${chars(0xb)}e` },
  { name: 'look-alike letters', text: `p${chars(0x430)}ypal.com https://xn--pypl-53dc.com/` },
  {
    name: 'a name from right to left',
    text: chars(0x5e9, 0x5dc, 0x5d5, 0x5dd, 0x20, 0x5e2, 0x5d5, 0x5dc, 0x5dd),
  },
  {
    name: 'combining marks',
    text: `Z${chars(...Array.from({ length: 60 }, (_, index) => 0x300 + (index % 40)))}algo`,
  },
  { name: '200 empty lines', text: `before${'\n'.repeat(200)}after the empty lines` },
  { name: '200 spaces', text: `ok${' '.repeat(200)}destination: safe` },
  { name: '200 tabs', text: `ok${'\t'.repeat(200)}destination: safe` },
  { name: 'a long word', text: 'W'.repeat(5000) },
  { name: 'a long word of wide characters', text: chars(0x1f600).repeat(1500) },
  { name: 'many lines', text: Array.from({ length: 300 }, (_, index) => `line ${index}`).join('\n') },
  { name: 'nothing but blanks', text: '   \n\t\n   ' },
  { name: 'nothing', text: '' },
];

/** Inputs that are hostile by their shape. */
export const hostileInputs: readonly { readonly name: string; readonly input: JsonObject }[] = [
  { name: '40 KB in one line', input: { text: 'x'.repeat(40_000), after: 'the last argument' } },
  {
    name: '40 KB in lines',
    input: { text: 'xxxxxxxxxxxxxxxxxxx\n'.repeat(2000), after: 'the last argument' },
  },
  { name: '60 arguments', input: sixtyArguments() },
  { name: '60 long arguments', input: sixtyArguments('y'.repeat(120)) },
  { name: '600 arguments', input: Object.fromEntries(range(600).map((at) => [`argument_${at}`, at])) },
  { name: 'deep nesting', input: nested(30) },
  { name: 'a long list', input: { rows: range(400).map((at) => ({ at, name: `row ${at}` })) } },
  {
    name: 'hostile names',
    input: Object.fromEntries(hostileTexts.map(({ text }, at) => [`${text} ${at}`, at])),
  },
  {
    name: 'everything at once',
    input: Object.fromEntries(hostileTexts.map(({ name, text }) => [name, text])),
  },
];

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** 60 arguments, each with a name and a value of its own. */
export function sixtyArguments(fill = ''): JsonObject {
  return Object.fromEntries(range(60).map((at) => [`argument_${at}_`, `value_${at}_${fill}`]));
}

function nested(depth: number): JsonObject {
  return depth === 0 ? { inmost: 'here' } : { [`level_${depth}`]: nested(depth - 1) };
}

const effects = ['export', 'grant', 'delete', 'write'] as const;

/** An action with a text wherever an agent, a tool or a profile's author can put one. */
function actionWith(text: string, effect: Profile['effect']): [Partial<Action>, Partial<Asked>] {
  return [
    {
      operation: `crm___${text}`,
      resource: { type: 'Dataset', id: text },
      session: text,
      reason: text,
      startedBy: asPersonId(text),
      input: {
        [`${text}.`]: text,
        table: text,
        principal: text,
        role: text,
        destination: text,
        where: { column: text, equals: text },
        list: [text, { text }],
        last: 'the last argument',
      },
    },
    {
      profile: {
        verb: text.slice(0, 100),
        effect,
        environment: text.slice(0, 100),
        consequence: text,
        resource: { type: 'Dataset', id: 'input.table' },
        preview: { tool: 'look', input: {}, count: 'rows' },
        before: { tool: 'before', input: {} },
      },
      preview: seen(text, {
        rows: 5,
        columns: [{ name: text, dataClass: text }],
        clusters: [{ name: text, environment: text, stateful: true }],
        roles: [{ principal: text, role: text }],
      }),
      before:
        effect === 'write'
          ? failed('before', text)
          : seen('before', { content: text, list: [{ [text]: text }] }),
    },
  ];
}

export interface HostileCase {
  readonly name: string;
  readonly held: Case;
  /** What the agent put everywhere; null where the shape is the attack. */
  readonly text: string | null;
}

/** Approvals that wait, one for each text and each special case, and one for each shape. */
export function hostileCases(): readonly HostileCase[] {
  const texts = hostileTexts.flatMap(({ name, text }) =>
    effects.map((effect): HostileCase => {
      const needs = [requirement('held', 'data-owners', { title: text === '' ? 'x' : text, quorum: 2 })];
      const it = scene(...actionWith(text, effect), needs);
      return { name: `${name}, ${effect}`, held: it.review('rosa', { reason: text }), text };
    }),
  );
  const shapes = hostileInputs.map(({ name, input }): HostileCase => ({
    name,
    held: scene({ input, reason: 'x' }).held,
    text: null,
  }));
  const reason: HostileCase = {
    name: 'a reason of 40 KB',
    held: scene({ reason: 'a reason \n'.repeat(4000) }).held,
    text: null,
  };
  const ended = hostileTexts.map(({ name, text }): HostileCase => {
    const it = scene(...actionWith(text, 'export'));
    return {
      name: `${name}, denied`,
      held: it.review('mia', { decision: 'deny', reason: text, unsafe: true }),
      text,
    };
  });
  return [...texts, ...shapes, reason, ...ended];
}

/** What each is shown as, and the card of it. @param of buttons for what waits; what has ended has none. */
export function hostileCards(of: {
  readonly url: string;
  readonly buttons: Buttons;
}): readonly (HostileCase & { readonly shown: Presentation; readonly card: Card })[] {
  return hostileCases().map((one) => {
    const shown = shownTo(one.held, null, {
      past: {
        total: 2,
        byState: { [one.text ?? 'denied']: 2 },
        sinceMidnight: 0,
        last: { atMs: 0, state: one.text ?? 'x' },
      },
    });
    const pending = shown.standing.state === 'pending';
    return { ...one, shown, card: cardOf(shown, { url: of.url, buttons: pending ? of.buttons : null }) };
  });
}
