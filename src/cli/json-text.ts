/**
 * JSON on a terminal. Promise: what an agent or an upstream wrote cannot move the cursor, hide or turn around what stands beside it,
 * and whoever parses it has the same value.
 */

/** What a terminal obeys or does not show, and JSON does not escape: C1 controls, DEL, format and bidi characters, separators. */
const hidden = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const escaped = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('');

/** Indented JSON (RFC 8259) in which every such character is an escape. */
export const jsonText = (value: object): string => JSON.stringify(value, null, 2).replace(hidden, escaped);
