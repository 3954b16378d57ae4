/** Pinning what an MCP server says of its tools, and accepting what it says later. */
import type { AcceptToolCommand, PinCommand } from '../command-config.ts';
import { isOperator } from '../directory.ts';
import { aboutNothing, type EntryDraft, type EntryType } from '../entry.ts';
import type { JsonObject } from '../json.ts';
import type { Loaded, Step, Write } from '../loaded.ts';
import { ok } from '../result.ts';
import { refuse } from '../refusal.ts';
import { definitionHash, pinnedPart, type PinnedTool } from '../tool.ts';
import { operationOf } from '../action.ts';
import type { By } from '../case.ts';
import { data, refused } from './common.ts';

const entry = (type: EntryType, tool: PinnedTool, by: By): EntryDraft => ({
  type,
  by,
  about: aboutNothing,
  subject: null,
  data: data({ operation: operationOf(tool.server, tool.tool), hash: tool.hash, seenHash: tool.seenHash }),
});

export function pin(command: PinCommand, loaded: Loaded): Step {
  const writes: Write[] = [];
  const entries: EntryDraft[] = [];
  const rows = new Map(loaded.tools.map((row) => [row.tool, row]));
  for (const definition of command.definitions) {
    const name = definition['name'];
    if (typeof name !== 'string') continue;
    const row = rows.get(name);
    const next = seen(
      row,
      definition,
      { server: command.server, tool: name, atMs: loaded.nowMs },
      command.pin,
    );
    if (next === undefined) continue;
    rows.set(name, next.tool);
    writes.push({ row: 'tool', tool: next.tool });
    if (next.type !== null) entries.push(entry(next.type, next.tool, { kind: 'gate' }));
  }
  const versions =
    writes.length > 0 ? { ...loaded.versions, tools: loaded.versions.tools + 1 } : loaded.versions;
  if (writes.length > 0) writes.push({ row: 'toolsVersion', version: versions.tools });
  return { answer: ok({ kind: 'tools', tools: [...rows.values()], versions }), writes, entries, notices: [] };
}

/** What one definition changes; undefined where nothing. */
function seen(
  row: PinnedTool | undefined,
  whole: JsonObject,
  base: Pick<PinnedTool, 'server' | 'tool' | 'atMs'>,
  manner: PinCommand['pin'],
): { readonly tool: PinnedTool; readonly type: EntryType | null } | undefined {
  const definition = pinnedPart(whole);
  const hash = definitionHash(whole);
  if (row === undefined) {
    return manner === 'first-sight'
      ? {
          tool: { ...base, status: 'enabled', definition, hash, seen: null, seenHash: null },
          type: 'tool.pinned',
        }
      : {
          tool: {
            ...base,
            status: 'waiting',
            definition: null,
            hash: null,
            seen: definition,
            seenHash: hash,
          },
          type: 'tool.waiting',
        };
  }
  // A tool that returns to what was accepted is enabled again only by an operator: it has shown that it changes.
  if (row.hash === hash && row.status === 'enabled') return undefined;
  if ((row.seenHash ?? row.hash) === hash) return undefined;
  const status = row.definition === null ? 'waiting' : 'disabled';
  return {
    tool: { ...row, status, seen: definition, seenHash: hash, atMs: base.atMs },
    type: status === 'waiting' ? 'tool.waiting' : 'tool.disabled',
  };
}

export function acceptTool(command: AcceptToolCommand, loaded: Loaded): Step {
  const row = loaded.tools.find((one) => one.tool === command.tool);
  if (!isOperator(loaded.directory, command.by)) {
    return refused(refuse('not_permitted', 'Only an operator may accept a tool.'));
  }
  if (row === undefined) return refused(refuse('not_found', 'There is no such tool.'));
  // Accepted is what was looked at: a server that changes it meanwhile is not accepted with it.
  if (command.hash !== (row.seenHash ?? row.hash))
    return refused(
      refuse('digest_mismatch', 'The tool’s definition changed since it was shown; look at it again.', {
        expected: row.seenHash ?? row.hash,
        got: command.hash,
      }),
    );
  if (row.status === 'enabled')
    return {
      answer: ok({ kind: 'tools', tools: loaded.tools, versions: loaded.versions }),
      writes: [],
      entries: [],
      notices: [],
    };
  const tool: PinnedTool = {
    ...row,
    status: 'enabled',
    definition: row.seen ?? row.definition,
    hash: row.seenHash ?? row.hash,
    seen: null,
    seenHash: null,
    atMs: loaded.nowMs,
  };
  const versions = { ...loaded.versions, tools: loaded.versions.tools + 1 };
  // Whoever accepts a changed tool vouches for it, and may not also approve what it does for 7 days.
  const change = {
    what: 'tool',
    id: operationOf(row.server, row.tool),
    by: command.by,
    acceptedBy: null,
    atMs: loaded.nowMs,
  } as const;
  return {
    answer: ok({
      kind: 'tools',
      tools: loaded.tools.map((one) => (one.tool === row.tool ? tool : one)),
      versions,
    }),
    writes: [
      { row: 'tool', tool },
      { row: 'toolsVersion', version: versions.tools },
      { row: 'change', change },
    ],
    entries: [entry('tool.accepted', tool, { kind: 'person', id: command.by })],
    notices: [],
  };
}
