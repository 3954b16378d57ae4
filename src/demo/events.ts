/** What the demo's agent tells on stdout, one JSON object a line: the only thing that the demo knows of it. */

/** What the agent does, in this order; the held ones wait side by side. */
export const steps = ['ticket', 'customers', 'export', 'grant', 'delete', 'calls'] as const;
export type Step = (typeof steps)[number];

export type AgentEvent =
  /** It asks; `words` is what it wants in its own words, `again` that it asks for the same once more. */
  | { readonly kind: 'asks'; readonly step: Step; readonly words: string; readonly again: boolean }
  /** The gate lets it wait, and says so. */
  | { readonly kind: 'waits'; readonly step: Step; readonly words: string }
  /** It has its result; in short. */
  | { readonly kind: 'got'; readonly step: Step; readonly words: string }
  /** The gate said no, in these words. */
  | { readonly kind: 'refused'; readonly step: Step; readonly words: string };

const kinds: readonly string[] = ['asks', 'waits', 'got', 'refused'];
const known: readonly string[] = steps;

/** Reads a line; undefined for what is none of these. */
export function eventOf(line: string): AgentEvent | undefined {
  try {
    const read: unknown = JSON.parse(line);
    if (
      typeof read !== 'object' ||
      read === null ||
      !('kind' in read) ||
      !('step' in read) ||
      !('words' in read)
    )
      return undefined;
    const fits =
      kinds.includes(String(read.kind)) &&
      known.includes(String(read.step)) &&
      typeof read.words === 'string';
    // The fields were just looked at; `again` is only ever read as a truth value.
    return fits ? (read as unknown as AgentEvent) : undefined;
  } catch {
    return undefined;
  }
}
