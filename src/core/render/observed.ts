/** What is only observed, in few words: servers and operations by name, the rest counted. */
import { counted, line, listed, short, type Shown } from './shown.ts';

/** Names in one sentence. */
const namedMax = 6;

/** Null where everything is enforced. @param names of servers (`crm`) and of operations (`files___write_file`). */
export function observedWords(names: readonly string[]): Shown | null {
  if (names.length === 0) return null;
  const rest = names.length - namedMax;
  const shown = names.slice(0, rest > 0 ? namedMax : names.length).map((name) => short(name, 80));
  return line(listed(rest > 0 ? [...shown, counted(rest, 'more', 'more')] : shown));
}
