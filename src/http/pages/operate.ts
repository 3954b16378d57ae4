/** What owners and operators do by form: stop an agent, let it go on, accept a tool. Core judges who may; nothing here does. */
import { asAgentId, asSha256Hex } from '../../core/ids.ts';
import { refuse, statusOf, type Refusal } from '../../core/refusal.ts';
import type { Result } from '../../core/result.ts';
import { acceptTool } from '../../app/review.ts';
import { lift, stopAgent } from '../../app/stops.ts';
import { agentPage } from './agents.ts';
import { sure, type Fields } from './change.ts';
import { reasonIn } from './form.ts';
import { refusalPage } from './frame.ts';
import { page, seeOther } from './responses.ts';
import { pathOf } from './routes.ts';
import { toolPage } from './servers.ts';
import type { Visit } from './visit.ts';

export async function stopped(visit: Visit, fields: Fields): Promise<Response> {
  const agent = fields.get('agent') ?? '';
  const reason = reasonIn(fields);
  const result = await sure(fields, reason, () =>
    stopAgent(visit.parts, visit.person, asAgentId(agent), {
      reason,
      approval: null,
      idempotency: visit.once,
    }),
  );
  return onAgent(visit, agent, reason, result);
}

export async function lifted(visit: Visit, fields: Fields): Promise<Response> {
  const agent = fields.get('agent') ?? '';
  const reason = reasonIn(fields);
  const result =
    reason === null
      ? { ok: false as const, error: refuse('reason_required', 'Say why it may go on; the log keeps it.') }
      : await lift(visit.parts, visit.person, asAgentId(agent), {
          operation: fields.get('operation') ?? null,
          reason,
          idempotency: visit.once,
        });
  return onAgent(visit, agent, reason, result);
}

/** Done: back to the agent. Refused: its page with the words, where the reader may read it at all. */
async function onAgent(
  visit: Visit,
  agent: string,
  reason: string | null,
  result: Result<unknown, Refusal>,
): Promise<Response> {
  if (result.ok) return seeOther(pathOf('/agent', { id: agent }));
  const { status, body } = await agentPage(visit, agent, { refusal: result.error, reason });
  // Whoever may not read the agent is told the refusal alone.
  return status === 200 ? page(statusOf(result.error.code), body) : refusalPage(visit, result.error);
}

export async function accepted(visit: Visit, fields: Fields): Promise<Response> {
  const server = fields.get('server') ?? '';
  const tool = fields.get('tool') ?? '';
  const hash = fields.get('hash') ?? '';
  if (!/^[0-9a-f]{64}$/.test(hash))
    return refusalPage(visit, refuse('input_invalid', 'This form names no definition; open the page again.'));
  const result = await acceptTool(visit.parts, visit.person, { server, tool, hash: asSha256Hex(hash) });
  if (result.ok) return seeOther(pathOf('/tool', { server, name: tool }));
  const answer = await toolPage(visit, { server, name: tool }, { refusal: result.error, reason: null });
  return answer.status === 200
    ? page(statusOf(result.error.code), answer.body)
    : refusalPage(visit, result.error);
}
