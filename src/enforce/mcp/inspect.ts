/** Asks an MCP server for its tools, once, on nobody's behalf: for `countersign init`. */
import type { JsonObject } from '../../core/json.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Upstream } from '../../ports/settings.ts';
import { openConnection, type OpenUrl } from './connection.ts';
import { revisions } from './link.ts';
import { listAll } from './listing.ts';
import { notificationText } from './message.ts';
import { modernCodes } from './modern/envelope.ts';
import { OlderPipe } from './modern/older-pipe.ts';

/** How long a server may take to start: a first `npx` downloads. */
const startMs = 60_000;
/** Lines of a process's standard error that are repeated where it failed. */
const linesMax = 5;

/**
 * The definitions of all tools, as the server says them; or why there are none, in words for an operator.
 *
 * @param stop ends it early, and with it the process that was started; only then resolves.
 */
export function listTools(
  upstream: Upstream,
  stop?: AbortSignal,
): Promise<Result<readonly JsonObject[], string>> {
  return ask(upstream, stop);
}

/** A server that speaks 2026-07-28 alone is asked in its own words. */
const inItsWords: OpenUrl = (upstream, on, log) =>
  new OlderPipe({ upstream, on, log, schemaOf: () => undefined });

/** @param openUrl where it was found to speak another era. */
async function ask(
  upstream: Upstream,
  stop: AbortSignal | undefined,
  openUrl?: OpenUrl,
): Promise<Result<readonly JsonObject[], string>> {
  const lines: string[] = [];
  const heard = { message: () => undefined, closed: () => undefined };
  const connection = openConnection(
    upstream,
    'inspect',
    openUrl === undefined ? heard : { ...heard, openUrl },
    (line) => lines.push(line),
  );
  const abort = (): void => void connection.close();
  if (stop?.aborted === true) abort();
  stop?.addEventListener('abort', abort, { once: true });
  const because = (why: string): Result<never, string> => err([why, ...lines.slice(-linesMax)].join('; '));
  try {
    const hello = {
      protocolVersion: revisions[0] ?? '',
      capabilities: {},
      clientInfo: { name: 'countersign', version: '1' },
    };
    const answer = await connection.ask('initialize', hello, startMs);
    if (!answer.ok) return because(answer.error.detail);
    if (answer.value.kind === 'error') {
      const { code, message } = answer.value.error;
      return code === modernCodes.unsupportedVersion && openUrl === undefined
        ? await ask(upstream, stop, inItsWords)
        : because(message);
    }
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
    stop?.removeEventListener('abort', abort);
    await connection.close();
  }
}
