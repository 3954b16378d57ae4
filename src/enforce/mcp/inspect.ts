/** Asks an MCP server for its tools, once, on nobody's behalf: for `countersign init`. */
import type { JsonObject } from '../../core/json.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Upstream } from '../../ports/settings.ts';
import { openConnection } from './connection.ts';
import { revisions } from './link.ts';
import { listAll } from './listing.ts';
import { notificationText } from './message.ts';

/** How long a server may take to start: a first `npx` downloads. */
const startMs = 60_000;
/** Lines of a process's standard error that are repeated where it failed. */
const linesMax = 5;

/** The definitions of all tools, as the server says them; or why there are none, in words for an operator. */
export async function listTools(upstream: Upstream): Promise<Result<readonly JsonObject[], string>> {
  const lines: string[] = [];
  const connection = openConnection(
    upstream,
    'inspect',
    { message: () => undefined, closed: () => undefined },
    (line) => lines.push(line),
  );
  const because = (why: string): Result<never, string> => err([why, ...lines.slice(-linesMax)].join('; '));
  try {
    const hello = {
      protocolVersion: revisions[0] ?? '',
      capabilities: {},
      clientInfo: { name: 'countersign', version: '1' },
    };
    const answer = await connection.ask('initialize', hello, startMs);
    if (!answer.ok) return because(answer.error.detail);
    if (answer.value.kind === 'error') return because(answer.value.error.message);
    const version = answer.value.result['protocolVersion'];
    if (typeof version !== 'string' || !revisions.includes(version))
      return because(
        `it speaks revision ${JSON.stringify(version ?? null)} of MCP, which this gate does not`,
      );
    connection.agreed(version);
    await connection.tell(notificationText('notifications/initialized'));
    const tools = await listAll(connection, (line) => lines.push(line));
    return tools.ok ? ok(tools.value.map((tool) => tool.definition)) : because(tools.error.detail);
  } finally {
    await connection.close();
  }
}
