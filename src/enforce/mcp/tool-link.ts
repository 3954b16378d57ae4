/** What judging and running a call needs of an upstream, whatever its era: its tools as it says them now, and a way to ask it. */
import type { Refusal } from '../../core/refusal.ts';
import type { Sha256Hex } from '../../core/ids.ts';
import type { Result } from '../../core/result.ts';
import type { Connection } from './connection.ts';

/** What an upstream says of its tools: the hash of each definition, by name. */
export type SeenHashes = ReadonlyMap<string, Sha256Hex>;

export interface ToolLink {
  /** What the upstream says of all its tools, compared with what is pinned. @param afresh asks it now. */
  tools(afresh: boolean): Promise<Result<SeenHashes, Refusal>>;
  /** A connection that lives, to the upstream that is configured now. */
  live(): Promise<Result<Connection, Refusal>>;
}
