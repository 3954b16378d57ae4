/**
 * The privilege case of design §7: who gains what where, what they lack today, whether the grantee is the agent, its owner
 * or the requester, and when it ends.
 */
import type { Action } from '../action.ts';
import { agentIn, type Directory } from '../directory.ts';
import type { JsonObject } from '../json.ts';
import { isJsonArray, type JsonValue } from '../json.ts';
import { nameOf } from '../conflict.ts';
import type { PersonId } from '../ids.ts';
import { fieldsOf, type Field } from './field.ts';
import { answerOf, inputOf, objectsIn, pick, pickText, type Titled } from './read.ts';
import { line, say, short, type Shown } from './shown.ts';

/** What an input says of a grant, by the names that people give such fields. */
export interface Grant {
  readonly grantee: string | undefined;
  readonly role: string | undefined;
  readonly scope: string | undefined;
  readonly expires: string | undefined;
}

const granteeNames = [
  'grantee',
  'principal',
  'member',
  'user',
  'username',
  'subject',
  'assignee',
  'account',
  'serviceaccount',
  'to',
];
const roleNames = [
  'role',
  'roles',
  'permission',
  'permissions',
  'privilege',
  'privileges',
  'policy',
  'access',
  'level',
  'group',
];
const scopeNames = [
  'scope',
  'resource',
  'on',
  'environment',
  'project',
  'database',
  'repository',
  'namespace',
  'where',
];
const expiresNames = ['expires', 'expiresat', 'expiry', 'until', 'expiration', 'ttl', 'duration'];

export function grantOf(input: JsonValue): Grant {
  const list = (names: readonly string[]): string | undefined => {
    const value = pick(input, names)?.value;
    return isJsonArray(value)
      ? value.filter((item) => typeof item === 'string').join(', ')
      : pickText(input, names);
  };
  return {
    grantee: list(granteeNames),
    role: list(roleNames),
    scope: list(scopeNames),
    expires: pickText(input, expiresNames),
  };
}

export interface PrivilegeView {
  readonly kind: 'privilege';
  /** Who, what, where, until when: as the input says it. */
  readonly fields: readonly Field[];
  /** "This is the agent that asks." Null where the grantee is none of those concerned. */
  readonly selfGain: Shown | null;
  /** What the grantee holds today, one line each; null where nothing was read. */
  readonly holds: readonly Shown[] | null;
  /** True where what was read today holds the same role in the same scope already; null where nothing was read. */
  readonly hasAlready: boolean | null;
}

export function privilegeView(asked: Titled, directory: Directory): PrivilegeView {
  const grant = grantOf(inputOf(asked));
  const rows = holdings(asked, grant);
  return {
    kind: 'privilege',
    fields: fieldsOf([
      ['who gains', grant.grantee === undefined ? null : short(grant.grantee, 200), true],
      ['what', grant.role === undefined ? null : short(grant.role, 200), true],
      [
        'where',
        grant.scope === undefined ? 'the input names no scope' : short(grant.scope, 200),
        grant.scope !== undefined,
      ],
      [
        'until',
        grant.expires === undefined ? 'no end: it does not expire' : short(grant.expires, 60),
        grant.expires !== undefined,
      ],
    ]),
    selfGain: selfGain(asked.action, grant.grantee, directory),
    holds: rows === undefined ? null : rows.map(holdingWords),
    hasAlready:
      rows === undefined
        ? null
        : rows.some(
            (row) =>
              sameText(pickText(row, roleNames), grant.role) &&
              sameText(pickText(row, scopeNames), grant.scope),
          ),
  };
}

/** The roles that the look before, or else the preview, read of the grantee. */
function holdings(asked: Titled, grant: Grant): readonly JsonObject[] | undefined {
  for (const seen of [asked.before, asked.preview]) {
    const answer = answerOf(seen);
    const list =
      pick(answer, ['roles', 'grants', 'permissions', 'memberships', 'holds'])?.value ??
      (isJsonArray(answer) ? answer : undefined);
    if (!isJsonArray(list)) continue;
    // A list of everybody's roles is narrowed to the grantee's; one without names is taken as theirs.
    return objectsIn(list).filter((row) => {
      const who = pickText(row, granteeNames);
      return who === undefined || sameText(who, grant.grantee);
    });
  }
  return undefined;
}

const sameText = (one: string | undefined, other: string | undefined): boolean =>
  one !== undefined && other !== undefined && one.toLowerCase() === other.toLowerCase();

function holdingWords(row: JsonObject): Shown {
  const role = pickText(row, roleNames) ?? 'a role';
  const scope = pickText(row, scopeNames);
  const expires = pickText(row, expiresNames);
  return say`${short(role, 60)}${scope === undefined ? '' : ` on ${short(scope, 60)}`}${expires === undefined ? '' : ` until ${short(expires, 40)}`}`;
}

/** Names are compared without case: a target's names are its own, so this is a likeness, not a proof. */
function selfGain(action: Action, grantee: string | undefined, directory: Directory): Shown | null {
  if (grantee === undefined) return null;
  const isPerson = (id: PersonId): boolean =>
    sameText(grantee, id) || sameText(grantee, nameOf(directory, id));
  if (sameText(grantee, action.agent)) return line('The one who gains is the agent that asks.');
  if (action.startedBy !== null && isPerson(action.startedBy))
    return line('The one who gains started this session.');
  const owner = agentIn(directory, action.agent)?.owners.find(isPerson);
  if (owner !== undefined)
    return say`The one who gains, ${nameOf(directory, owner)}, owns the agent that asks.`;
  const link = action.delegation.find((one) =>
    one.kind === 'person' ? isPerson(one.id) : sameText(grantee, one.id),
  );
  return link === undefined ? null : line('The one who gains is in the delegation chain of this request.');
}
