/**
 * A checker of Block Kit: what Slack would refuse, and what the gate must never send. Written from Slack's reference, with its
 * numbers again, so that it does not share a mistake with src/channels/slack/limits.ts. Every object must be of a known kind and
 * have no other members than are known here: a new one is looked at before it is let through.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../../src/core/json.ts';

type Say = (problem: string) => void;

/** Any value in a message about it; a text as it is. */
const told = (value: JsonValue | undefined): string =>
  typeof value === 'string' ? value : value === undefined ? 'nothing' : JSON.stringify(value);

/** What is wrong with a message's blocks and text; empty: nothing. */
export function messageProblems(body: JsonValue, text: string): readonly string[] {
  return collect((say) => {
    const { blocks } = known(body, ['blocks'], 'message', say);
    blocksProblems(blocks, 50, say);
    // Not documented; measured by others at some 13,200 characters (slackapi/bolt-js issue 2509).
    if (Buffer.byteLength(JSON.stringify(blocks)) > 13_000) say('message: more than Slack was seen to take');
    textProblems(text, say);
  });
}

/** What is wrong with a modal or a home view. */
export function viewProblems(view: JsonValue): readonly string[] {
  return collect((say) => {
    const members = ['type', 'callback_id', 'title', 'close', 'submit', 'private_metadata', 'blocks'];
    const one = known(view, members, 'view', say);
    if (one['type'] === 'modal') {
      plainProblems(one['title'], 24, 'title', say);
      for (const name of ['close', 'submit'])
        if (one[name] !== undefined) plainProblems(one[name], 24, name, say);
    } else if (one['type'] === 'home') {
      for (const name of ['title', 'close', 'submit']) if (one[name] !== undefined) say(`home: has ${name}`);
    } else say(`view: of the type ${told(one['type'])}`);
    idProblems(one['callback_id'], 'callback_id', say);
    const metadata = one['private_metadata'];
    if (metadata !== undefined && (typeof metadata !== 'string' || !carriedForm.test(metadata)))
      say('private_metadata: holds something else than an id and a tag');
    blocksProblems(one['blocks'], 100, say);
    const kinds = (isJsonArray(one['blocks']) ? one['blocks'] : []).map((block) => at(block, 'type'));
    if (kinds.includes('input') && one['submit'] === undefined) say('view: an input without a submit');
    if (Buffer.byteLength(JSON.stringify(view)) > 250_000) say('view: larger than 250 KB');
  });
}

/** Blocks alone, as they are sent to one person. */
export const blocksOf = (blocks: JsonValue, text: string): readonly string[] =>
  messageProblems({ blocks }, text);

function collect(check: (say: Say) => void): readonly string[] {
  const problems: string[] = [];
  check((problem) => problems.push(problem));
  return problems;
}

const at = (value: JsonValue | undefined, name: string): JsonValue | undefined =>
  isJsonObject(value) ? value[name] : undefined;

/** An object that has no other members than these. */
function known(
  value: JsonValue | undefined,
  members: readonly string[],
  where: string,
  say: Say,
): JsonObject {
  if (!isJsonObject(value)) {
    say(`${where}: not an object`);
    return {};
  }
  for (const [name, member] of Object.entries(value)) {
    if (!members.includes(name)) say(`${where}: unknown member ${name}`);
    if (member === undefined) say(`${where}: ${name} is undefined`);
  }
  return value;
}

const list = (
  value: JsonValue | undefined,
  min: number,
  max: number,
  where: string,
  say: Say,
): readonly JsonValue[] => {
  if (!isJsonArray(value)) {
    say(`${where}: not a list`);
    return [];
  }
  if (value.length < min || value.length > max) say(`${where}: ${value.length}, not ${min} to ${max}`);
  return value;
};

function blocksProblems(value: JsonValue | undefined, max: number, say: Say): void {
  const blocks = list(value, 1, max, 'blocks', say);
  const ids = blocks.flatMap((block) => at(block, 'block_id') ?? []);
  if (new Set(ids).size !== ids.length) say('block_id: twice');
  for (const block of blocks) blockProblems(block, say);
}

function blockProblems(block: JsonValue, say: Say): void {
  switch (told(at(block, 'type'))) {
    case 'header':
      plainProblems(known(block, ['type', 'text'], 'header', say)['text'], 150, 'header', say);
      return;
    case 'divider':
      known(block, ['type'], 'divider', say);
      return;
    case 'actions': {
      const { elements } = known(block, ['type', 'elements'], 'actions', say);
      const buttons = list(elements, 1, 25, 'actions', say);
      const ids = buttons.map((one) => at(one, 'action_id'));
      if (new Set(ids).size !== ids.length) say('action_id: twice in one block');
      for (const one of buttons) buttonProblems(one, say);
      return;
    }
    case 'input':
      inputProblems(block, say);
      return;
    case 'rich_text':
      richTextProblems(block, say);
      return;
    default:
      say(`block: of the type ${told(at(block, 'type'))}`);
  }
}

/** `pst_….` and 32 hexadecimal digits; nothing of the action is in a button. */
const carriedForm = /^[a-z]{3}_[A-Za-z0-9_-]{1,64}\.[0-9a-f]{32}$/;

function buttonProblems(value: JsonValue, say: Say): void {
  const one = known(value, ['type', 'action_id', 'text', 'value', 'url', 'style'], 'button', say);
  if (one['type'] !== 'button') say(`actions: holds a ${told(one['type'])}`);
  idProblems(one['action_id'], 'action_id', say);
  plainProblems(one['text'], 75, 'button', say);
  const { value: held, url, style } = one;
  if (style !== undefined && style !== 'primary' && style !== 'danger') say(`button: style ${told(style)}`);
  if (one['action_id'] === 'countersign.web') {
    if (typeof url !== 'string' || url.length > 3000 || !/^https?:\/\/localhost[:/]/.test(url))
      say(`button: leads to ${told(url)}`);
    if (held !== undefined) say('button: a link with a value');
  } else {
    if (url !== undefined) say('button: decides and links');
    if (typeof held !== 'string' || held.length > 2000 || !carriedForm.test(held))
      say(`button: carries ${told(held)}`);
  }
}

function inputProblems(block: JsonValue, say: Say): void {
  const one = known(block, ['type', 'block_id', 'label', 'hint', 'optional', 'element'], 'input', say);
  idProblems(one['block_id'], 'block_id', say);
  plainProblems(one['label'], 2000, 'label', say);
  if (one['hint'] !== undefined) plainProblems(one['hint'], 2000, 'hint', say);
  if (typeof one['optional'] !== 'boolean') say('input: optional is not said');
  const { element } = one;
  if (at(element, 'type') === 'plain_text_input') {
    const names = ['type', 'action_id', 'multiline', 'min_length', 'max_length'];
    const field = known(element, names, 'plain_text_input', say);
    idProblems(field['action_id'], 'action_id', say);
    const { max_length: max, min_length: min = 0 } = field;
    if (typeof max !== 'number' || max < 1 || max > 3000) say(`input: takes ${told(max)}`);
    if (typeof min !== 'number' || min < 0 || min > 3000) say(`input: needs ${told(min)}`);
  } else if (at(element, 'type') === 'checkboxes') {
    const boxes = known(element, ['type', 'action_id', 'options'], 'checkboxes', say);
    idProblems(boxes['action_id'], 'action_id', say);
    for (const option of list(boxes['options'], 1, 10, 'options', say)) {
      const each = known(option, ['text', 'value', 'description'], 'option', say);
      plainProblems(each['text'], 75, 'option', say);
      if (each['description'] !== undefined) plainProblems(each['description'], 75, 'description', say);
      if (typeof each['value'] !== 'string' || each['value'].length > 150) say('option: its value');
    }
  } else say(`input: holds a ${told(at(element, 'type'))}`);
}

function richTextProblems(block: JsonValue, say: Say): void {
  const { elements } = known(block, ['type', 'elements'], 'rich_text', say);
  let chars = 0;
  for (const part of list(elements, 1, Infinity, 'rich_text', say)) {
    const kind = at(part, 'type');
    if (kind === 'rich_text_list') {
      const one = known(part, ['type', 'style', 'elements'], 'rich_text_list', say);
      if (one['style'] !== 'bullet') say('rich_text_list: its style');
      for (const item of list(one['elements'], 1, Infinity, 'rich_text_list', say)) {
        if (at(item, 'type') !== 'rich_text_section') say('rich_text_list: holds no section');
        chars += elementsProblems(item, say);
      }
    } else if (['rich_text_section', 'rich_text_preformatted', 'rich_text_quote'].includes(told(kind)))
      chars += elementsProblems(part, say);
    else say(`rich_text: holds a ${told(kind)}`);
  }
  // Not documented for rich_text; what a section may hold.
  if (chars > 3000) say(`rich_text: ${chars} characters`);
}

/** Returns how many characters there are. */
function elementsProblems(part: JsonValue, say: Say): number {
  const { elements } = known(part, ['type', 'elements'], 'rich_text part', say);
  let chars = 0;
  for (const element of list(elements, 1, Infinity, 'rich_text part', say)) {
    const words = at(element, 'text');
    if (typeof words !== 'string' || words === '') say('rich_text: an element without text');
    else chars += words.length;
    if (at(element, 'type') === 'text') {
      const { style } = known(element, ['type', 'text', 'style'], 'text', say);
      if (style !== undefined) {
        const styles = known(style, ['bold', 'italic', 'code'], 'style', say);
        if (Object.values(styles).some((one) => one !== true)) say('style: neither set nor absent');
      }
      // A mention, an emoji or a date is an element of its own kind: here everything is text.
    } else if (at(element, 'type') === 'link') {
      const { url } = known(element, ['type', 'url', 'text'], 'link', say);
      if (typeof url !== 'string' || !/^https?:\/\/localhost[:/]/.test(url)) say(`link: to ${told(url)}`);
    } else say(`rich_text: an element ${told(at(element, 'type'))}`);
  }
  return chars;
}

function plainProblems(value: JsonValue | undefined, max: number, where: string, say: Say): void {
  const { type, text, emoji } = known(value, ['type', 'text', 'emoji'], where, say);
  if (type !== 'plain_text') say(`${where}: is ${told(type)}`);
  if (emoji !== false) say(`${where}: takes emoji`);
  if (typeof text !== 'string' || text.trim() === '' || text.length > max)
    say(`${where}: ${typeof text === 'string' ? text.length : 0} characters`);
}

function idProblems(value: JsonValue | undefined, where: string, say: Say): void {
  if (typeof value !== 'string' || value === '' || value.length > 255) say(`${where}: ${told(value)}`);
}

/** The text beside the blocks is read as mrkdwn. */
function textProblems(text: string, say: Say): void {
  if (text.trim() === '' || text.length > 4000) say(`text: ${text.length} characters`);
  if (/[<>\n]/.test(text)) say('text: holds markup or a second line');
  if (/&(?!(?:amp|lt|gt);)/.test(text)) say('text: a & that is not escaped');
  if (/@(?:here|channel|everyone|\w)/.test(text)) say('text: could mention somebody');
  if (/:\/\/(?!localhost[:/])/.test(text)) say('text: links elsewhere');
}

/** Every text that is shown, in its order, with line breaks between what stands in different places. */
export function textsIn(value: JsonValue | undefined): readonly string[] {
  if (isJsonArray(value)) return value.flatMap(textsIn);
  if (!isJsonObject(value)) return [];
  const { text } = value;
  const here = typeof text === 'string' && value['type'] !== 'plain_text' ? [text] : [];
  return [
    ...here,
    ...Object.values(value).flatMap(textsIn),
    ...(value['type'] === 'plain_text' && typeof text === 'string' ? [text] : []),
  ];
}
