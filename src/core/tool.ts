/**
 * Pinned tools: what an MCP server said of a tool when it was accepted. A definition that differs later disables the tool
 * until an operator accepts it (design §8): an approval never runs against a tool that changed under it.
 */
import { canonicalize } from './canonical.ts';
import { asSha256Hex, type Sha256Hex } from './ids.ts';
import type { JsonObject } from './json.ts';
import { sha256Hex } from './sha256.ts';

export type ToolStatus = 'enabled' | 'waiting' | 'disabled';

export interface PinnedTool {
  readonly server: string;
  readonly tool: string;
  readonly status: ToolStatus;
  /** The accepted definition; null while a tool under `pin: manual` waits for its first acceptance. */
  readonly definition: JsonObject | null;
  readonly hash: Sha256Hex | null;
  /** What the server says today, where it differs from what was accepted. */
  readonly seen: JsonObject | null;
  readonly seenHash: Sha256Hex | null;
  readonly atMs: number;
}

/** The fields of a definition that could change what a call does or what people think it does. */
const pinnedFields = [
  'name',
  'title',
  'description',
  'inputSchema',
  'outputSchema',
  'annotations',
  'execution',
] as const;

/** The part of a tool's definition that is pinned; `_meta` and icons change nothing and are left out. */
export function pinnedPart(definition: JsonObject): JsonObject {
  const part: Record<string, JsonObject[string]> = {};
  for (const field of pinnedFields) {
    const value = definition[field];
    if (value !== undefined) part[field] = value;
  }
  return part;
}

export const definitionHash = (definition: JsonObject): Sha256Hex =>
  asSha256Hex(sha256Hex(canonicalize(pinnedPart(definition))));
