/**
 * One `tools/call`: found among the pinned tools, checked, judged, and then run, refused, or held until people have decided.
 * The order of effects is the promise: the upstream is connected and its tools are read before anything is recorded, the
 * record is durable before anything runs, and what runs is the action as stored.
 */
import { askedBy, authorize, type Attempt } from '../../app/authorize.ts';
import { recordRefusal } from '../../app/told.ts';
import type { Action } from '../../core/action.ts';
import { stateOf } from '../../core/case.ts';
import type { RunIds } from '../../core/ids.ts';
import type { JsonObject } from '../../core/json.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { ok, type Result } from '../../core/result.ts';
import type { CatalogEntry } from '../../ports/catalog.ts';
import { nameCharsMax, reasonCharsMax } from './classify.ts';
import { conclude, patienceMs, result, unheld, type CallAt, type Said } from './conclude.ts';
import { splitReason } from './definitions.ts';
import { hold } from './hold.ts';
import { takeLook } from './look.ts';
import { errorText, rpcCodes } from './message.ts';
import { findTool, type Found } from './pins.ts';
import { prepareRun } from './run.ts';
import * as words from './words.ts';

/** Handles one call; rejects only where the gate itself fails. */
export async function callTool(at: CallAt): Promise<Said> {
  const { parts, call } = at;
  const looked = await find(at);
  if (!looked.ok) return result(at, words.refusedResult(looked.error));
  const found = looked.value;
  if (found.kind === 'unknown')
    return invalid(at, refuse('not_found', `Unknown tool: ${call.name.slice(0, nameCharsMax)}`));
  if (found.kind === 'disabled')
    return result(at, words.refusedResult(refuse('tool_disabled', found.detail)));
  const { entry } = found;
  const { input, reason } = splitReason(entry, call.input);
  if (reason !== null && reason.length > reasonCharsMax)
    return refuseInput(
      at,
      entry,
      refuse('input_invalid', `A reason has at most ${reasonCharsMax} characters.`),
    );
  const fits = at.checks.of(entry.tool?.hash ?? '', entry.inputSchema)(input);
  if (!fits.ok) return refuseInput(at, entry, fits.error);
  const vetoed = await at.vet?.(entry, input);
  if (vetoed !== undefined) return vetoed;
  const asked = await authorize(parts, attemptOf(at, entry, input, call.reason ?? reason));
  if (!asked.ok) return result(at, words.refusedResult(asked.error));
  const { held, joined } = asked.value;
  if (held.approval === null) return unheld(at, held);
  if (stateOf(held, parts.clock.nowMs()) !== 'pending') return conclude(at, held, joined);
  if (at.wait !== undefined) return at.wait(held);
  const untilMs = parts.clock.nowMs() + patienceMs(at);
  const decided = await hold(parts, held.asked.id, { untilMs, gone: at.gone, tell: at.tell });
  return conclude(at, decided ?? held, false);
}

/** The tool, as it is pinned and as this connection's upstream says it. An upstream that cannot start is found out here. */
async function find(at: CallAt): Promise<Result<Found, Refusal>> {
  const { parts, server, link, call } = at;
  // What was read before may be old: a tool that it does not offer is looked for once more.
  for (const afresh of [false, true]) {
    const tools = await link.tools(afresh);
    if (!tools.ok) return tools;
    const found = findTool(parts, server, call.name, tools.value.get(call.name));
    if (found.kind === 'enabled' || afresh) return ok(found);
  }
  return ok({ kind: 'unknown' });
}

/** A call that is not what the protocol, or the tool, says: a JSON-RPC error, as the SDK's servers answer it. */
const invalid = (at: CallAt, { code, detail }: Refusal): Said => ({
  text: errorText(at.id, { code: rpcCodes.invalidParams, message: detail, data: { code } }),
  told: null,
});

async function refuseInput(at: CallAt, { operation }: CatalogEntry, refusal: Refusal): Promise<Said> {
  const { code, detail } = refusal;
  await recordRefusal(at.parts, at.agent, { server: at.server, operation, code, detail });
  // Else the schema itself is at fault.
  return code === 'input_invalid' ? invalid(at, refusal) : result(at, words.refusedResult(refusal));
}

function attemptOf(at: CallAt, entry: CatalogEntry, input: JsonObject, reason: string | null): Attempt {
  const { parts, server, link } = at;
  return {
    ...askedBy({ ...at, id: at.agent }),
    session: at.call.session,
    operation: entry.operation,
    resource: null,
    input,
    target: entry.target,
    enforcement: 'mediated',
    reason,
    run: at.call.run,
    profile: entry.profile,
    runsNow: true,
    // Another way to run it makes requests of its own.
    ...(at.perform === undefined && {
      meanwhile: (action: Action, ids: RunIds) =>
        void prepareRun(link, action, { id: at.id, meta: at.call.meta, ids }),
    }),
    look: (which, profile) => takeLook({ parts, server, link, input }, which, profile),
  };
}
