/** The objects that events are made of: who, what was called, on what, and the thing that changed. Secrets are masked in all. */
import { splitOperation } from '../action.ts';
import type { Asked, By } from '../case.ts';
import { nameOf } from '../conflict.ts';
import type { Directory } from '../directory.ts';
import type { Entry } from '../entry.ts';
import { asPersonId } from '../ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import type { Profile } from '../profile.ts';
import { pickText } from '../render/read.ts';
import { line, short } from '../render/shown.ts';
import { maskText } from '../secrets.ts';
import type { ClassName, Row } from './classes.ts';

/** The product and its services are called so. */
const product = 'Countersign';
const idCharsMax = 300;

export const productOf = (): JsonObject => ({ name: product, vendor_name: product });

const personUser = (id: string, directory: Directory): JsonObject => ({
  uid: short(id, idCharsMax),
  name: short(nameOf(directory, asPersonId(id)), idCharsMax),
  type_id: 1,
  type: 'User',
});

/** No version knows agents as a kind of user. */
export const agentUser = (id: string): JsonObject => ({
  uid: short(id, idCharsMax),
  name: short(id, idCharsMax),
  type_id: 99,
  type: 'AI agent',
});

const nobody: JsonObject = { name: 'unknown', type_id: 0, type: 'Unknown' };

/** Who did what the entry tells of; at least one of the attributes that `actor` wants. */
export function actorOf({ by, erased }: Entry, directory: Directory): JsonObject {
  if (erased === true) return { app_name: 'erased' };
  switch (by.kind) {
    case 'agent':
      return { user: agentUser(by.id) };
    case 'person':
      return { user: personUser(by.id, directory) };
    case 'gate':
      return { app_name: product };
    case 'operator':
      return { app_name: 'countersign', user: { name: 'operator', type_id: 2, type: 'Admin' } };
  }
}

/** Where it came from. The gate keeps no addresses in its log: the name is the agent's, the person's or the channel's. */
export function sourceOf({ data, by }: Entry, asked: Asked | null): JsonObject {
  const channel = pickText(data, ['channel']);
  const name =
    by.kind === 'agent'
      ? by.id
      : (channel ?? asked?.action.agent ?? (by.kind === 'person' ? by.id : product));
  return { name: short(name, idCharsMax) };
}

/** An operation and what it was called on. */
export function apiOf(entry: Entry, asked: Asked | null): JsonObject {
  const { data, about, type, erased } = entry;
  const operation =
    erased === true ? 'erased' : (asked?.action.operation ?? pickText(data, ['operation']) ?? type);
  const code = pickText(data, ['code']);
  return {
    operation: short(operation, idCharsMax),
    service: { name: short(splitOperation(operation)?.target ?? product, idCharsMax) },
    ...(about.action === null ? {} : { request: { uid: about.action } }),
    ...(code === undefined ? {} : { response: { code: 403, error: short(code, 80) } }),
  };
}

export function resourcesOf({ data }: Entry, asked: Asked | null): readonly JsonObject[] {
  const said = data['resource'];
  const resource =
    asked?.action.resource ??
    (isJsonObject(said) ? { type: pickText(said, ['type']), id: pickText(said, ['id']) } : undefined);
  if (resource?.id === undefined) return [];
  return [
    {
      type: short(resource.type ?? 'Resource', idCharsMax),
      uid: short(maskText(resource.id), idCharsMax),
      name: short(maskText(resource.id), idCharsMax),
    },
  ];
}

/** What an action does, as API Activity knows it: data that leave are read; what is only run is none of the four. */
const activities: Readonly<Record<Profile['effect'], number>> = {
  read: 2,
  export: 2,
  write: 3,
  grant: 3,
  delete: 4,
  execute: 99,
};

/** @param effect as the profile says it, or an entry of an earlier version; anything else is unknown. */
export const activityOf = (effect: string | undefined): number =>
  Object.entries(activities).find(([name]) => name === effect)?.[1] ?? 0;

/** Whose account or access it is about: named in the data, else who did it. */
export function userOf(entry: Entry, directory: Directory): JsonObject {
  const { data, by, type } = entry;
  const named = (value: JsonValue | undefined): JsonObject | undefined =>
    typeof value === 'string' ? personUser(value, directory) : undefined;
  const agent = pickText(data, ['agent']);
  if (agent !== undefined) return agentUser(agent);
  if (type.startsWith('delegation.')) return named(data['to']) ?? byUser(by, directory);
  return named(data['person']) ?? named(data['for']) ?? accountUser(data['account']) ?? byUser(by, directory);
}

const byUser = (by: By, directory: Directory): JsonObject =>
  by.kind === 'person' ? personUser(by.id, directory) : by.kind === 'agent' ? agentUser(by.id) : nobody;

/** Somebody of a provider whom nobody here is known to be. */
function accountUser(account: JsonValue | undefined): JsonObject | undefined {
  const subject = pickText(account, ['subject']);
  if (subject === undefined) return undefined;
  const issuer = pickText(account, ['issuer']);
  return {
    uid: short(subject, idCharsMax),
    type_id: 1,
    type: 'User',
    ...(issuer === undefined ? {} : { domain: short(issuer, idCharsMax) }),
  };
}

/** What may be done, as `privileges`: an operation, a group, a place to stand in. */
export function privilegesOf({ data, type }: Entry, asked: Asked | null): readonly string[] {
  if (type.startsWith('delegation.')) return [line('stands in as an approver')];
  const one = asked?.action.operation ?? pickText(data, ['operation']) ?? pickText(data, ['group']);
  return one === undefined ? [line('every operation')] : [short(one, idCharsMax)];
}

/** The thing that was made, changed or taken away. */
export function entityOf({ data, type }: Entry, row: Row): JsonObject {
  const named = (...names: readonly string[]): string | undefined =>
    names.map((name) => pickText(data, [name])).find((one) => one !== undefined);
  const uid = named('id', 'digest', 'token', 'glass', 'exception', 'manifest', 'hash', 'origin');
  const name = named('operation', 'name', 'origin', 'use', 'source', 'scope') ?? row.entity ?? type;
  const version = named('version');
  return {
    type: row.entity ?? type,
    name: short(name, idCharsMax),
    ...(uid === undefined ? {} : { uid: short(uid, idCharsMax) }),
    ...(version === undefined ? {} : { version: short(version, 80) }),
  };
}

/** Entries of these classes name whom they are about. */
export const hasUser = (name: ClassName): boolean =>
  name === 'account' || name === 'access' || name === 'authentication' || name === 'session';
