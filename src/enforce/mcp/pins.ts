/**
 * Pinning: what an upstream says of its tools is compared with what was accepted, by hash. What is new is recorded
 * (core/steps/tools.ts decides what it means); what is unchanged writes nothing.
 */
import type { Parts } from '../../app/parts.ts';
import { refusalOf } from '../../app/review.ts';
import type { Sha256Hex } from '../../core/ids.ts';
import { isJsonArray, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { definitionHash, type PinnedTool } from '../../core/tool.ts';
import { operationOf } from '../../core/action.ts';
import type { CatalogEntry } from '../../ports/catalog.ts';
import type { ServerSettings } from '../../ports/settings.ts';
import { isSoundDefinition } from './definitions.ts';
import type { Log } from './pipe.ts';

/** A definition as one upstream connection said it. */
export interface SeenTool {
  readonly name: string;
  readonly hash: Sha256Hex;
  readonly definition: JsonObject;
}

/** The sound definitions of one page; the others are told to operators and never shown to agents. */
export function seenTools(tools: JsonValue | undefined, log: Log): readonly SeenTool[] {
  if (!isJsonArray(tools)) return [];
  return tools.flatMap((definition) => {
    if (isSoundDefinition(definition)) {
      return [{ name: definition.name, hash: definitionHash(definition), definition }];
    }
    log('described a tool in a way that cannot be pinned (nested too deep, or broken text); it is left out');
    return [];
  });
}

/** Whether the store would have something to write down about a definition; must agree with core/steps/tools.ts. */
const isNews = (row: PinnedTool | undefined, hash: Sha256Hex): boolean =>
  row === undefined ||
  !((row.hash === hash && row.status === 'enabled') || (row.seenHash ?? row.hash) === hash);

/** Records what is new, brings the catalog and the policies in step with it, and tells the operator. */
export async function pin(
  parts: Parts,
  server: ServerSettings,
  seen: readonly SeenTool[],
  log: Log,
): Promise<Result<null, Refusal>> {
  const rows = new Map(parts.world.catalog.tools(server.name).map((row) => [row.tool, row]));
  const news = seen.filter((tool) => isNews(rows.get(tool.name), tool.hash));
  if (news.length === 0) return ok(null);
  const definitions = news.map((tool) => tool.definition);
  const result = await parts.store.change({
    kind: 'pin',
    server: server.name,
    pin: server.pin,
    definitions,
  });
  if (!result.ok) return err(refusalOf(result.error));
  await parts.world.sync();
  const statuses = new Map(parts.world.catalog.tools(server.name).map((row) => [row.tool, row.status]));
  const having = (status: PinnedTool['status']): readonly string[] =>
    news.map((tool) => tool.name).filter((name) => statuses.get(name) === status);
  const pinned = having('enabled');
  const changed = having('disabled');
  const waiting = having('waiting');
  if (pinned.length > 0) log(`pinned ${toolsIn(pinned)}`);
  if (changed.length > 0)
    log(`changed since accepted, and off until an operator accepts (page Servers): ${toolsIn(changed)}`);
  if (waiting.length > 0) log(`off until an operator accepts (page Servers): ${toolsIn(waiting)}`);
  return ok(null);
}

/** Names in one line for an operator. */
const namesMax = 12;
const toolsIn = (names: readonly string[]): string =>
  `${names.length} ${names.length === 1 ? 'tool' : 'tools'}, ${names.slice(0, namesMax).join(', ')}${names.length > namesMax ? ' and more' : ''}`;

/** What a tool's name stands for today. */
export type Found =
  | { readonly kind: 'enabled'; readonly entry: CatalogEntry }
  /** Pinned, but not accepted as it is now. */
  | { readonly kind: 'disabled'; readonly detail: string }
  | { readonly kind: 'unknown' };

/** @param hash what this connection's upstream says of the tool; undefined where it has no such tool. */
export function findTool(parts: Parts, server: string, name: string, hash: Sha256Hex | undefined): Found {
  if (hash === undefined) return { kind: 'unknown' };
  const entry = parts.world.catalog.entry(operationOf(server, name));
  if (entry?.tool?.hash === hash) return { kind: 'enabled', entry };
  const row = parts.world.catalog.tools(server).find((one) => one.tool === name);
  const detail =
    row?.definition === null
      ? 'This tool waits until an operator accepts it.'
      : 'This tool’s definition changed after it was accepted; an operator has to accept it again.';
  return { kind: 'disabled', detail };
}
