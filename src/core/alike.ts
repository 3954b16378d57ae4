/**
 * Whether gates that share a store are alike, as gates behind one load balancer must be: what they differ in, in sentences for
 * operators. During a rolling upgrade they differ for a while; at any other time somebody has to look.
 */
import { gateLimits } from './runner.ts';
import { counted, line, say, type Shown } from './render/shown.ts';

/** What is compared of a gate. */
export interface Likeness {
  readonly silentMs: number;
  readonly body: {
    readonly version: string;
    readonly schema: number;
    readonly config: string | null;
    readonly current: boolean;
  };
}

/** Those that were heard of lately. */
export const living = <T extends Likeness>(gates: readonly T[]): readonly T[] =>
  gates.filter((one) => one.silentMs < gateLimits.goneMs);

/** Empty where they are alike. Those that are gone are not compared, and said. */
export function unlike(gates: readonly Likeness[]): readonly Shown[] {
  const alive = living(gates);
  const gone = gates.length - alive.length;
  const many = (of: (one: Likeness) => unknown): number => new Set(alive.map(of)).size;
  const readable = alive.filter(({ body }) => body.config !== null);
  const configs = new Set(readable.map(({ body }) => body.config)).size;
  const unread = alive.length - readable.length;
  return [
    ...(configs > 1
      ? [
          say`They read ${counted(configs, 'configuration', 'different configurations')}: give all of them the same files.`,
        ]
      : []),
    ...(unread > 0
      ? [
          say`${counted(unread, 'gate has', 'gates have')} a configuration that cannot be used, and ${unread === 1 ? 'denies' : 'deny'} everything.`,
        ]
      : []),
    ...(many(({ body }) => `${body.version} ${body.schema}`) > 1
      ? [line('They run different versions of the program: finish the upgrade.')]
      : []),
    ...(gone > 0
      ? [
          say`${counted(gone, 'gate is', 'gates are')} not heard of any more, and did not say that ${gone === 1 ? 'it stopped' : 'they stopped'}.`,
        ]
      : []),
  ];
}
