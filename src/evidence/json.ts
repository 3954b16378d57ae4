/** JSON files of the package: indented, keys in the order in which they were written, one line break at the end. */
import type { JsonValue } from '../core/json.ts';

export const asPayload = (value: JsonValue): string => `${JSON.stringify(value, null, 2)}\n`;
