/** `server/discover`: what the upstream is, with what the gate adds: it knows tasks, and speaks one revision of this era. */
import { isJsonObject, type JsonObject } from '../../../core/json.ts';
import { resultText } from '../message.ts';
import { modernRevisions, protocolKeys, tasksExtension } from './envelope.ts';
import { refusalText, type Exchange } from './request.ts';
import { cached, typed, unmarked } from './rewrite.ts';

/** Capabilities of an older upstream that mean the same in this era. */
const sameCapabilities: ReadonlySet<string> = new Set(['tools', 'resources', 'prompts', 'completions']);

export async function discover({ upstreams, agent, server, request, reply }: Exchange): Promise<void> {
  const side = await upstreams.of(agent, server, true);
  if (!side.ok) {
    // Not an error in a good response: a client would take that for a server of an older era.
    reply.end(refusalText(request.id, side.error), 502);
    return;
  }
  const described =
    side.value.kind === 'modern' ? side.value.described : ofOlder(await side.value.pooled.start());
  reply.end(resultText(request.id, cached(unmarked(typed(widened(described))))));
}

function widened(described: JsonObject): JsonObject {
  const { capabilities } = described;
  const said = isJsonObject(capabilities) ? capabilities : {};
  const extensions = isJsonObject(said['extensions']) ? said['extensions'] : {};
  return {
    ...described,
    supportedVersions: modernRevisions,
    capabilities: { ...said, extensions: { ...extensions, [tasksExtension]: {} } },
  };
}

/** What an older upstream said when it was initialized, as this era says it. */
function ofOlder(
  started: { readonly ok: true; readonly value: JsonObject } | { readonly ok: false },
): JsonObject {
  if (!started.ok) return {};
  const { capabilities, serverInfo, instructions } = started.value;
  const said = isJsonObject(capabilities) ? Object.entries(capabilities) : [];
  return {
    capabilities: Object.fromEntries(said.filter(([name]) => sameCapabilities.has(name))),
    ...(typeof instructions === 'string' ? { instructions } : {}),
    ...(isJsonObject(serverInfo) ? { _meta: { [protocolKeys.serverInfo]: serverInfo } } : {}),
  };
}
