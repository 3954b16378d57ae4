/**
 * What people may know of how the gate is built: names and kinds, never a credential, a header, a variable, a query or an
 * argument. Pages see this and not the settings, which hold secrets.
 */
import type { ServerSettings } from '../ports/settings.ts';
import type { ReadBoard } from './standing.ts';

export interface ServerShown {
  readonly name: string;
  /** `process`: started by the gate. `http`: reached over a network. */
  readonly kind: 'process' | 'http';
  /** The program's name, or the origin of the URL. */
  readonly at: string;
  readonly pin: ServerSettings['pin'];
}

/** What the status page tells of the process that it runs in. */
export interface About {
  /** The id of the gate that shows it. */
  readonly gate: string;
  readonly board: ReadBoard;
  /** Channels that are told of approvals. */
  readonly channels: readonly string[];
  /** Who people can sign in with now, in the order of the configuration. */
  readonly providers: readonly { readonly id: string; readonly name: string; readonly issuer: string }[];
  /** As configured now. */
  readonly servers: () => readonly ServerShown[];
  readonly store: () => Promise<{ readonly kind: string; readonly bytes: number | null }>;
  /** The IANA name in which policies read weekday and hour. */
  readonly timezone: string;
  /** How long payloads are kept; null: for ever. */
  readonly payloadsMs: number | null;
  /** How far the clock has moved against a steady one since this gate started, in milliseconds; negative: backwards. */
  readonly driftMs: () => number;
}

export function serverShown(server: ServerSettings): ServerShown {
  const { name, upstream, pin } = server;
  if (upstream.kind === 'command') {
    // Arguments hold tokens and connection strings; the last step of the program's path holds none.
    const program = upstream.argv[0]?.split(/[\\/]/).at(-1) ?? '';
    return { name, kind: 'process', at: program, pin };
  }
  // An origin has no user, path or query.
  return { name, kind: 'http', at: URL.parse(upstream.url)?.origin ?? 'no URL', pin };
}
