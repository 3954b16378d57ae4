/**
 * What operations there are today: the pinned tools of configured servers and the configured operations, with their
 * profiles. Promise: `targetOf` answers from what is accepted, never from what a server says at the moment.
 */
import type { Enforcement, Target } from '../core/action.ts';
import type { Mode } from '../core/case.ts';
import type { JsonObject } from '../core/json.ts';
import type { Profile } from '../core/profile.ts';
import type { PinnedTool } from '../core/tool.ts';

export interface CatalogEntry {
  readonly operation: string;
  readonly target: Target;
  readonly enforcement: Enforcement;
  readonly profile: Profile | null;
  readonly mode: Mode;
  /** JSON Schema of the input as pinned or declared. */
  readonly inputSchema: JsonObject;
  /** The pinned tool, for MCP operations. */
  readonly tool: PinnedTool | null;
}

export interface Catalog {
  /** The entry of an enabled tool or a configured operation; undefined for all else. */
  entry(operation: string): CatalogEntry | undefined;
  /** Whether the target half names a configured MCP server. */
  isServer(target: string): boolean;
  /** Whether an operation was configured and taken away: it is refused, and not judged by its name alone. */
  isWithdrawn(operation: string): boolean;
  /** Pinned tools of one server, whatever their status. */
  tools(server: string): readonly PinnedTool[];
  readonly servers: readonly string[];
  readonly entries: readonly CatalogEntry[];
}
