/**
 * Asking for break-glass, decided in the transaction. What follows: steps/glass-open.ts, steps/glass-after.ts. What an open one
 * lets pass is decided where actions are asked (steps/ask.ts) and run (steps/again.ts).
 */
import { stateOf, type Asked, type Case } from '../case.ts';
import type { AskGlassCommand } from '../command-gate.ts';
import { agentIn, membersOf, personIn } from '../directory.ts';
import { everybodyMay, gateAction, gateVerdict } from '../gate-operations.ts';
import {
  glassGroupOf,
  glassName,
  glassProfile,
  glassRequirement,
  mayAskGlass,
  refusesGlassAsked,
  refusesIdle,
  refusesUnreviewed,
} from '../glass.ts';
import type { PersonId } from '../ids.ts';
import type { Loaded, Step } from '../loaded.ts';
import { refuse, type Refusal } from '../refusal.ts';
import { refusesStopped } from '../stops.ts';
import { open } from './ask.ts';
import { refused, unchanged } from './common.ts';
import { notAPerson, refusedGlass } from './glass-ends.ts';

/** A person asks: a case of the gate's own, that two others decide. */
export function askGlass(command: AskGlassCommand, loaded: Loaded): Step {
  const { by, agent, operation, minutes, reason } = command;
  const { directory, nowMs } = loaded;
  if (by.kind !== 'person') return refusedGlass(notAPerson(by), by, { what: 'ask', agent });
  const refusal = refusesAsking(by.id, command, loaded);
  if (refusal !== undefined) return refusedGlass(refusal, by, { what: 'ask', agent });
  const { id, salt, joinKey, likeKey } = command;
  const profile = glassProfile(command);
  const verdict = gateVerdict(
    glassRequirement(directory),
    'Break-glass lets pass what policies hold for people, so it needs people who neither asked for it nor own the agent.',
    loaded.versions,
  );
  const asked: Asked = {
    ...gateAction({
      id,
      name: glassName,
      startedBy: by.id,
      resource: { type: 'Agent', id: agent },
      input: { agent, operation, minutes, reason },
      profile,
      salt,
    }),
    joinKey,
    likeKey,
    mode: 'enforce',
    callback: null,
    amount: null,
    run: null,
    verdict,
    profile,
    preview: null,
    before: null,
    atMs: nowMs,
  };
  const earlier = loaded.case;
  if (earlier !== null && stateOf(earlier, nowMs) === 'pending')
    return sameAsked(earlier, asked)
      ? unchanged(earlier, true)
      : refused(
          refuse(
            'approval_pending',
            'You have asked for break-glass already; withdraw that first, or wait for it.',
            { approval: earlier.approval?.id ?? null },
          ),
        );
  const people = membersOf(directory, verdict.requirements[0]?.approvers ?? glassGroupOf(directory));
  const mayApprove = everybodyMay(
    people.map((one) => one.id),
    verdict.requirements,
  );
  const step = open(
    { asked, approval: command.approval, mayApprove, limits: command.limits },
    verdict,
    loaded,
  );
  return step.answer.ok || step.answer.error.kind === 'stale'
    ? step
    : refusedGlass(step.answer.error.refusal, by, { what: 'ask', agent });
}

const sameAsked = (earlier: Case, { action }: Asked): boolean => {
  const [one, other] = [earlier.asked.action.input, action.input];
  return ['agent', 'operation', 'minutes', 'reason'].every((key) => one[key] === other[key]);
};

function refusesAsking(person: PersonId, command: AskGlassCommand, loaded: Loaded): Refusal | undefined {
  const { directory, stops, glasses, nowMs } = loaded;
  const { agent, operation } = command;
  if (personIn(directory, person) === undefined)
    return refuse('not_a_person', 'This account belongs to no person of the directory.');
  // The same for one that is not and one that is not yours.
  if (agentIn(directory, agent) === undefined || !mayAskGlass(directory, person, agent))
    return refuse(
      'not_permitted',
      'Only an agent’s owners, operators and those who open break-glass may ask for it. There may be no such agent.',
    );
  return (
    refusesGlassAsked(command) ??
    refusesIdle(agent, operation, directory) ??
    refusesStopped(agent, operation, stops) ??
    refusesUnreviewed(glasses, nowMs)
  );
}
