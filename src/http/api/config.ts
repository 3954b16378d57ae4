/**
 * What waits to be accepted of what the files say, and standing for it: by a person, or by a CI identity that names the author of
 * a merge. Nothing is accepted here: people review it as they review anything else.
 */
import {
  adminsOf,
  isAdmin,
  isProposer,
  noChain,
  personIn,
  type AgentPrincipal,
  type Directory,
  type Principal,
} from '../../core/directory.ts';
import type { Delegate } from '../../core/action.ts';
import type { Origin } from '../../core/config-change.ts';
import { asDigest, asPersonId } from '../../core/ids.ts';
import { isLive } from '../../core/steps/config.ts';
import type { Part } from '../../core/command-config.ts';
import { mayReadGate } from '../../core/reads.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { maskText } from '../../core/secrets.ts';
import { rfc3339 } from '../../core/time.ts';
import { approvalUrl } from '../../app/notices.ts';
import type { Parts } from '../../app/parts.ts';
import { Fields, readBody } from './body.ts';
import type { Call, Handler } from './call.ts';

/** Characters of what a CI identity says of who approved a merge. */
const approverCharsMax = 200;
const digestForm = /^sha256:[0-9a-f]{64}$/;

/** Those who could accept it, those who read how the gate stands, and those who stand for changes. */
const mayRead = (directory: Directory, by: Principal): boolean =>
  by.kind === 'agent'
    ? isProposer(directory, by.id)
    : isAdmin(directory, by.id) || mayReadGate(directory, by.id);

/** `GET /v1/config`: what is in force, and what waits. Admins, operators, auditors and the identities of `changes.proposers`. */
export const show: Handler = async (call) => {
  const { parts, by } = call;
  const directory = await parts.store.directory();
  if (!mayRead(directory, by))
    return err(
      refuse('not_permitted', 'Only admins, operators and auditors read what waits to be accepted.'),
    );
  return ok({ status: 200, body: await configView(parts, directory) });
};

async function configView(parts: Parts, directory: Directory): Promise<object> {
  const { store, world } = parts;
  const { candidate, left, stuck } = world.config();
  const accepted = async (part: Part): Promise<object | null> => {
    const one = await store.accepted(part);
    return one === undefined
      ? null
      : { version: one.version, digest: one.digest, how: one.how, at: rfc3339(one.atMs) };
  };
  const newest = await store.newestChange();
  const live = newest !== undefined && isLive(newest, parts.clock.nowMs()) ? newest : undefined;
  const machine = await store.machineAcceptedAtMs();
  return {
    inForce: {
      policies: await accepted('policies'),
      directory: await accepted('directory'),
      servers: await accepted('servers'),
    },
    acceptedAtMachineAt: machine === null ? null : rfc3339(machine),
    acceptedBy: adminsOf(directory),
    candidate,
    waiting: left.map(({ what, id, says, tightens, before, after }) => ({
      what,
      id,
      says,
      inForce: tightens,
      before: before === null ? null : maskText(before),
      after: after === null ? null : maskText(after),
    })),
    stuck,
    approval:
      live?.approval == null
        ? null
        : {
            id: live.approval.id,
            author: live.asked.action.startedBy,
            url: approvalUrl(parts.origin, live.approval.id),
            expiresAt: rfc3339(live.approval.expiresAtMs),
          },
  };
}

/**
 * `POST /v1/config/proposals` `{candidate, author?, approver?}`: somebody stands for what the files say. Of a person, they are the
 * author; an agent of `changes.proposers` names one, and may say who approved the merge, which fills no place.
 */
export const propose: Handler = async (call) => {
  const body = await readBody(call.request);
  if (!body.ok) return body;
  const fields = new Fields(body.value);
  const candidate = fields.text('candidate', 71);
  const said = {
    author: fields.optionalText('author', 64),
    approver: fields.optionalText('approver', approverCharsMax),
  };
  const refusal = fields.refusal();
  if (refusal !== undefined) return err(refusal);
  if (!digestForm.test(candidate))
    return err(
      refuse('input_invalid', '"candidate" must be sha256: and 64 digits, as GET /v1/config says it.', {
        pointer: '/candidate',
      }),
    );
  const origin = originOf(call, await call.parts.store.directory(), said);
  if (!origin.ok) return origin;
  const asked = await call.parts.world.stand(origin.value, asDigest(candidate));
  if (!asked.ok) return asked;
  const { approval, asked: action } = asked.value;
  return ok({
    status: 201,
    body: {
      candidate,
      author: action.action.startedBy,
      digest: action.digest,
      approval:
        approval === null ? null : { id: approval.id, url: approvalUrl(call.parts.origin, approval.id) },
    },
  });
};

function originOf(
  { by }: Call,
  directory: Directory,
  said: { readonly author: string | null; readonly approver: string | null },
): Result<Origin, Refusal> {
  if (by.kind === 'person') {
    return said.author === null && said.approver === null
      ? ok({ author: by.id })
      : err(
          refuse('input_invalid', '"author" and "approver" are for CI identities; a person is the author.', {
            pointer: '/author',
          }),
        );
  }
  if (!isProposer(directory, by.id))
    return err(
      refuse(
        'not_permitted',
        'Only people, and the agents that changes.proposers names, stand for a change.',
      ),
    );
  const author = said.author === null ? undefined : personIn(directory, asPersonId(said.author));
  if (author === undefined)
    return err(
      refuse('input_invalid', '"author" must be the id of a person here: whoever made the change.', {
        pointer: '/author',
      }),
    );
  return ok({
    author: author.id,
    ...(said.approver === null ? {} : { approver: said.approver }),
    through: `the CI identity ${by.id}`,
    chain: chainOf(by),
  });
}

/** Whoever can speak as a CI identity could have it name anybody: its owners, and those for whom it acts, are tied to what it says. */
const chainOf = ({ id, chain = noChain }: AgentPrincipal): readonly Delegate[] => [
  ...(chain.startedBy === null ? [] : [{ kind: 'person', id: chain.startedBy } as const]),
  ...chain.delegation,
  { kind: 'agent', id },
];
