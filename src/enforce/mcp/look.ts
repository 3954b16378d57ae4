/** Previews and looks at the state before: read-only upstream calls that the operator's profile names, for reviewers. */
import type { Parts } from '../../app/parts.ts';
import type { Seen } from '../../core/case.ts';
import { checkJson } from '../../core/check-json.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { readJson } from '../../core/read-json.ts';
import { fill, type Look, type Profile } from '../../core/profile.ts';
import { messageOf } from './pipe.ts';
import { findTool } from './pins.ts';
import { textOf } from './run.ts';
import type { ToolLink } from './tool-link.ts';

/** Largest answer that is kept, in UTF-16 units of its JSON; a larger one is told as such. */
const answerCharsMax = 64 * 1024;
/** Longest sentence about a failed look. */
const detailCharsMax = 300;

export interface LookAt {
  readonly parts: Parts;
  readonly server: string;
  readonly link: ToolLink;
  /** The input of the action that people will be asked about. */
  readonly input: JsonObject;
}

/** Takes one look. Never throws: a look that fails is shown as such. */
export async function takeLook(
  at: LookAt,
  which: 'preview' | 'before',
  profile: Profile,
): Promise<Seen | null> {
  const look = profile[which];
  if (look === undefined) return null;
  const input = fill(look.input, at.input) ?? {};
  const answer = await answerOf(at, look, input).catch((error: unknown) => failed(messageOf(error)));
  return { tool: look.tool, input, atMs: at.parts.clock.nowMs(), answer };
}

const failed = (detail: string): Seen['answer'] => ({
  ok: false,
  detail: detail.toWellFormed().slice(0, detailCharsMax).toWellFormed(),
});

async function answerOf(at: LookAt, look: Look, input: JsonValue): Promise<Seen['answer']> {
  if (!isJsonObject(input)) return failed('The profile’s input for this look is no object.');
  const tools = await at.link.tools(false);
  if (!tools.ok) return failed(tools.error.detail);
  const found = findTool(at.parts, at.server, look.tool, tools.value.get(look.tool));
  if (found.kind === 'unknown') return failed(`The server has no tool ${look.tool}.`);
  if (found.kind === 'disabled') return failed(found.detail);
  const { profile } = found.entry;
  // A look must not be an effect that nobody was asked about.
  if (profile !== null && profile.effect !== 'read')
    return failed(`By its profile, ${look.tool} does not only read.`);
  const live = await at.link.live();
  if (!live.ok) return failed(live.error.detail);
  const answer = await live.value.ask(
    'tools/call',
    { name: look.tool, arguments: input },
    at.parts.limits.previewMs,
  );
  if (!answer.ok) return failed(answer.error.detail);
  if (answer.value.kind === 'error') return failed(answer.value.error.message);
  return valueOf(answer.value.result);
}

/** Structured content; else the texts, as JSON where they are JSON. */
function valueOf(result: JsonObject): Seen['answer'] {
  if (result['isError'] === true) return failed(textOf(result));
  const { structuredContent, content } = result;
  const items = isJsonArray(content) ? content : [];
  const texts = items.flatMap((item) =>
    isJsonObject(item) && typeof item['text'] === 'string' ? [item['text']] : [],
  );
  const text = texts.join('\n').toWellFormed();
  const read = structuredContent === undefined ? readJson(text) : checkJson(structuredContent);
  const value = read.ok ? read.value : text;
  return JSON.stringify(value).length > answerCharsMax
    ? failed(`The answer is larger than ${answerCharsMax / 1024} KiB.`)
    : { ok: true, value };
}
