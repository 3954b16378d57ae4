/** What a person reads of laid blocks: the texts in their order, long ones that were cut into pieces put together again. */
import { isJsonArray, isJsonObject, type JsonValue } from '../../../src/core/json.ts';

export const blocksIn = (body: JsonValue): readonly JsonValue[] => {
  const blocks = isJsonObject(body) ? body['blocks'] : undefined;
  return isJsonArray(blocks) ? blocks : [];
};

/** All text of it, line by line. */
export const readable = (body: JsonValue): string =>
  blocksIn(body).map(textOf).join('\n').replaceAll('\n┆ ', '');

function textOf(value: JsonValue | undefined): string {
  if (isJsonArray(value)) return value.map(textOf).join('\n');
  if (!isJsonObject(value)) return '';
  const { text, elements, type } = value;
  if (typeof text === 'string') return text;
  if (isJsonObject(text)) return textOf(text);
  if (!isJsonArray(elements)) return '';
  // Elements of one row stand side by side.
  const inline =
    type === 'rich_text_section' || type === 'rich_text_quote' || type === 'rich_text_preformatted';
  return elements.map(textOf).join(inline ? '' : '\n');
}

/** The action ids of all buttons, in their order. */
export const buttonsIn = (body: JsonValue): readonly string[] =>
  blocksIn(body).flatMap((block) => {
    const elements = isJsonObject(block) && block['type'] === 'actions' ? block['elements'] : [];
    return (isJsonArray(elements) ? elements : []).flatMap((one) =>
      isJsonObject(one) && typeof one['action_id'] === 'string' ? [one['action_id']] : [],
    );
  });
