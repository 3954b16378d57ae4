/**
 * Agents by HTTP, for people: who they are, what keeps them from asking, and stopping one or letting it go on. Who may do that
 * is core's (core/steps/stops.ts); no route here is for agents.
 */
import type { By } from '../../core/case.ts';
import { agentIn, type Agent, type Directory } from '../../core/directory.ts';
import { asAgentId, asApprovalId, type AgentId, type PersonId } from '../../core/ids.ts';
import { agentsFor } from '../../core/reads.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { maskText } from '../../core/secrets.ts';
import type { Stop } from '../../core/stops.ts';
import { rfc3339 } from '../../core/time.ts';
import { allows } from '../../app/access.ts';
import type { Parts } from '../../app/parts.ts';
import { reasonCharsMax } from '../../app/review.ts';
import { lift as liftStop, stopAgent } from '../../app/stops.ts';
import { operationCharsMax } from './ask.ts';
import { Fields, readBody } from './body.ts';
import { isId, limitOf, personOf, type Call, type Handler, type Reply } from './call.ts';
import { idempotencyOf } from './idempotency.ts';

const byOf = (by: By): string => ('id' in by ? by.id : by.kind);

const stopView = ({ by, reason, atMs }: Stop): object => ({
  by: byOf(by),
  reason: reason === null ? null : maskText(reason),
  since: rfc3339(atMs),
});

/** Why it cannot go on: null and nothing where it can. */
function stopsView(agent: AgentId, stops: readonly Stop[]): object {
  const mine = stops.filter((one) => one.agent === agent);
  const stopped = mine.find((one) => one.operation === null);
  return {
    stopped: stopped === undefined ? null : stopView(stopped),
    paused: mine.flatMap((one) =>
      one.operation === null ? [] : [{ operation: one.operation, ...stopView(one) }],
    ),
  };
}

const agentView = async (parts: Parts, agent: Agent, stops: readonly Stop[]): Promise<object> => ({
  id: agent.id,
  owners: agent.owners,
  groups: agent.groups,
  ...stopsView(agent.id, stops),
  pending: (await parts.store.crowd({ agent: agent.id, people: [] })).pending,
});

/** Whether somebody may read an agent: core and the policies, both. */
const reads = ({ parts }: Call, directory: Directory, person: PersonId, agent: AgentId): boolean =>
  allows(parts, { directory }, { person, act: 'read_agent', subject: { kind: 'agent', agent } });

/** `GET /v1/agents?after=&limit=`: operators and auditors see all, everybody else their own; by id. */
export const list: Handler = async (call) => {
  const person = personOf(call);
  if (!person.ok) return person;
  const limit = limitOf(call);
  if (!limit.ok) return limit;
  const { store } = call.parts;
  const after = call.url.searchParams.get('after') ?? '';
  const [directory, stops] = await Promise.all([store.directory(), store.stops()]);
  const mine = agentsFor(directory, person.value)
    .filter((agent) => agent.id > after && reads(call, directory, person.value, agent.id))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const shown = mine.slice(0, limit.value);
  const items = await Promise.all(shown.map((agent) => agentView(call.parts, agent, stops)));
  const last = shown.at(-1);
  const next = mine.length > shown.length && last !== undefined ? { next: last.id } : {};
  return ok({ status: 200, body: { items, ...next } });
};

/** The agent after a change, as far as whoever changed it may read it. */
async function changed(call: Call, person: PersonId, agent: AgentId): Promise<Result<Reply, Refusal>> {
  const { store } = call.parts;
  const [directory, stops] = await Promise.all([store.directory(), store.stops()]);
  const known = agentIn(directory, agent);
  const body =
    known !== undefined && reads(call, directory, person, agent)
      ? await agentView(call.parts, known, stops)
      : { id: agent, ...stopsView(agent, stops) };
  return ok({ status: 200, body });
}

const agentOfPath = (call: Call): AgentId => asAgentId(call.path['agent'] ?? '');

/** `POST /v1/agents/ID/stop`: its owners, operators, and who may decide the approval that they name. Again: nothing more changes. */
export const stop: Handler = async (call) => {
  const person = personOf(call);
  if (!person.ok) return person;
  const body = await readBody(call.request);
  if (!body.ok) return body;
  const fields = new Fields(body.value);
  const reason = fields.optionalText('reason', reasonCharsMax);
  const approval = fields.optionalText('approval', 64);
  const refusal = fields.refusal();
  if (refusal !== undefined) return err(refusal);
  if (approval !== null && !isId(approval, 'apr'))
    return err(
      refuse('input_invalid', '"approval" must be the id of an approval.', { pointer: '/approval' }),
    );
  const idempotency = idempotencyOf(call, body.value);
  if (!idempotency.ok) return idempotency;
  const seen = approval === null ? null : asApprovalId(approval);
  const said = { reason, approval: seen, idempotency: idempotency.value };
  const stopped = await stopAgent(call.parts, person.value, agentOfPath(call), said);
  return stopped.ok ? changed(call, person.value, agentOfPath(call)) : stopped;
};

/** `POST /v1/agents/ID/lift`: operators who do not own it; `operation` names a pause, without it the stop is lifted. */
export const lift: Handler = async (call) => {
  const person = personOf(call);
  if (!person.ok) return person;
  const body = await readBody(call.request);
  if (!body.ok) return body;
  const fields = new Fields(body.value);
  const operation = fields.optionalText('operation', operationCharsMax);
  const reason = fields.optionalText('reason', reasonCharsMax);
  const refusal = fields.refusal();
  if (refusal !== undefined) return err(refusal);
  const idempotency = idempotencyOf(call, body.value);
  if (!idempotency.ok) return idempotency;
  const said = { operation, reason, idempotency: idempotency.value };
  const lifted = await liftStop(call.parts, person.value, agentOfPath(call), said);
  return lifted.ok ? changed(call, person.value, agentOfPath(call)) : lifted;
};
