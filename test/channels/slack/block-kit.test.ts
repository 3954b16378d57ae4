/** The checker itself: it says what it was written to say, so that its silence elsewhere means something. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { messageProblems, viewProblems } from './block-kit.ts';

const plain = (text: string, more: JsonObject = {}): JsonObject => ({
  type: 'plain_text',
  text,
  emoji: false,
  ...more,
});
const said = (text: string): JsonObject => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text }] }],
});
const button = (more: JsonObject = {}): JsonObject => ({
  type: 'button',
  action_id: 'countersign.deny',
  text: plain('Deny…'),
  value: `pst_a.${'0'.repeat(32)}`,
  ...more,
});
const actions = (...elements: readonly JsonValue[]): JsonObject => ({ type: 'actions', elements });
const modal = (more: JsonObject = {}): JsonObject => ({
  type: 'modal',
  callback_id: 'countersign.view',
  title: plain('Review'),
  close: plain('Close'),
  blocks: [said('x')],
  ...more,
});

test('what is right is right', () => {
  const blocks = [{ type: 'header', text: plain('a') }, said('b'), { type: 'divider' }, actions(button())];
  assert.deepEqual(messageProblems({ blocks }, 'a'), []);
  assert.deepEqual(viewProblems(modal()), []);
});

const messages: readonly (readonly [name: string, block: JsonValue])[] = [
  ['mrkdwn', { type: 'section', text: { type: 'mrkdwn', text: 'x' } }],
  ['mrkdwn in a header', { type: 'header', text: { type: 'mrkdwn', text: 'x' } }],
  ['verbatim', { type: 'header', text: plain('x', { verbatim: true }) }],
  ['emoji', { type: 'header', text: plain('x', { emoji: true }) }],
  ['a long header', { type: 'header', text: plain('x'.repeat(151)) }],
  ['an empty header', { type: 'header', text: plain(' ') }],
  ['a long block', said('x'.repeat(3001))],
  ['an empty text', said('')],
  [
    'a mention',
    {
      type: 'rich_text',
      elements: [{ type: 'rich_text_section', elements: [{ type: 'user', user_id: 'U1' }] }],
    },
  ],
  [
    'a broadcast',
    {
      type: 'rich_text',
      elements: [{ type: 'rich_text_section', elements: [{ type: 'broadcast', range: 'here' }] }],
    },
  ],
  [
    'a link elsewhere',
    {
      type: 'rich_text',
      elements: [
        { type: 'rich_text_section', elements: [{ type: 'link', url: 'https://evil.test', text: 'x' }] },
      ],
    },
  ],
  ['markdown', { type: 'markdown', text: 'x' }],
  [
    'a button elsewhere',
    actions(button({ action_id: 'countersign.web', url: 'https://evil.test', value: 'x' })),
  ],
  ['a button that links and decides', actions(button({ url: 'http://localhost:1/' }))],
  ['a button that carries more', actions(button({ value: '{"approval":"apr_1"}' }))],
  ['a long label', actions(button({ text: plain('x'.repeat(76)) }))],
  ['a wrong style', actions(button({ style: 'default' }))],
  ['an action id twice', actions(button(), button())],
  ['an action id without end', actions(button({ action_id: 'x'.repeat(256) }))],
  ['no button', actions()],
  ['26 buttons', actions(...Array.from({ length: 26 }, (_, at) => button({ action_id: `a${at}` })))],
  ['an unknown member', { ...said('x'), accessory: button() }],
];

test('what Slack would refuse, or read as more than text, is a problem', () => {
  for (const [name, block] of messages)
    assert.notDeepEqual(messageProblems({ blocks: [block] }, 'x'), [], name);
  const many = Array.from({ length: 51 }, () => ({ type: 'divider' }));
  assert.deepEqual(messageProblems({ blocks: many }, 'x'), ['blocks: 51, not 1 to 50']);
  const large = Array.from({ length: 5 }, () => said('x'.repeat(2900)));
  assert.deepEqual(messageProblems({ blocks: large }, 'x'), ['message: more than Slack was seen to take']);
});

test('a text that is read as mrkdwn must not say anything in it', () => {
  for (const text of ['<!channel>', '@here', 'a & b', 'a\nb', 'https://evil.test', '', 'x'.repeat(4001)])
    assert.notDeepEqual(messageProblems({ blocks: [said('x')] }, text), [], text);
  assert.deepEqual(
    messageProblems({ blocks: [said('x')] }, '&lt;!channel&gt; &amp; http://localhost:1/'),
    [],
  );
});

test('views', () => {
  const input = {
    type: 'input',
    block_id: 'reason',
    label: plain('Reason'),
    optional: true,
    element: { type: 'plain_text_input', action_id: 'reason', multiline: true, max_length: 2000 },
  };
  const wrong: readonly (readonly [name: string, more: JsonObject])[] = [
    ['a long title', { title: plain('x'.repeat(25)) }],
    ['a long submit', { submit: plain('x'.repeat(25)) }],
    ['metadata', { private_metadata: '{"approval":"apr_1"}' }],
    ['an input without a submit', { blocks: [input] }],
    ['a block id twice', { submit: plain('Go'), blocks: [input, input] }],
    ['101 blocks', { blocks: Array.from({ length: 101 }, () => ({ type: 'divider' })) }],
    [
      'too long an input',
      { submit: plain('Go'), blocks: [{ ...input, element: { ...input.element, max_length: 3001 } }] },
    ],
    ['an unknown member', { notify_on_close: true }],
    ['another type', { type: 'workflow_step' }],
  ];
  for (const [name, more] of wrong) assert.notDeepEqual(viewProblems(modal(more)), [], name);
  assert.deepEqual(viewProblems(modal({ submit: plain('Go'), blocks: [input] })), []);
});
