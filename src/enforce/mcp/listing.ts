/** Reading all of an upstream's tools: every page, on the gate's own account. */
import type { Sha256Hex } from '../../core/ids.ts';
import { ok, type Result } from '../../core/result.ts';
import type { Connection } from './connection.ts';
import type { Failure, Log } from './pipe.ts';
import { seenTools, type SeenTool } from './pins.ts';

/** How long one page may take. */
const pageMs = 30_000;
/** Pages of one list. */
const pagesMax = 200;
/** Tools of one list. */
const toolsMax = 5000;

/** All tools; none where the upstream has no tools at all (it answers with an error). */
export async function listAll(
  connection: Connection,
  log: Log,
): Promise<Result<readonly SeenTool[], Failure>> {
  const tools: SeenTool[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax && tools.length < toolsMax; page += 1) {
    const answer = await connection.ask('tools/list', cursor === undefined ? undefined : { cursor }, pageMs);
    if (!answer.ok) return answer;
    if (answer.value.kind === 'error') return ok(tools);
    tools.push(...seenTools(answer.value.result['tools'], log));
    const next = answer.value.result['nextCursor'];
    if (typeof next !== 'string') return ok(tools);
    cursor = next;
  }
  log(`lists more than ${toolsMax} tools or ${pagesMax} pages; the rest is not offered`);
  return ok(tools);
}

/** What was said of each tool; a name that was said twice differently keeps the last word, and core disables it. */
export const hashesOf = (tools: readonly SeenTool[]): ReadonlyMap<string, Sha256Hex> =>
  new Map(tools.map((tool) => [tool.name, tool.hash]));
