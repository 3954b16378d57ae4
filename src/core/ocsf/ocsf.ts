/**
 * Entries of the log as OCSF events, for SIEMs (docs/siem.md): a pure mapping, one event for each entry. What class an entry is
 * stands in classes.ts, what the gate decided in control.ts, and what an earlier version does not know in versions.ts.
 *
 * Promises: secrets are masked; nothing of an action is told that is not in the entry or in the case as it was given; the event
 * names its entry by index and digest, so that it can be verified against the log. The entry stays the truth.
 */
import { canonicalize } from '../canonical.ts';
import type { Asked, Case } from '../case.ts';
import type { Directory } from '../directory.ts';
import type { Entry } from '../entry.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import { entryWords } from '../render/log-words.ts';
import { pickText } from '../render/read.ts';
import { short } from '../render/shown.ts';
import { maskSecrets, maskText } from '../secrets.ts';
import { sha256Hex } from '../sha256.ts';
import { classes, rows, type Row } from './classes.ts';
import { controlOf, severityOf, statusOf } from './control.ts';
import {
  activityOf,
  actorOf,
  agentUser,
  apiOf,
  entityOf,
  hasUser,
  privilegesOf,
  productOf,
  resourcesOf,
  sourceOf,
  userOf,
} from './parts.ts';
import { downTo, type OcsfVersion } from './versions.ts';

export type { OcsfVersion };

export interface OcsfAbout {
  /** The case of an entry about an action, as the reader may see it; null: none, or not known. */
  readonly held: Case | null;
  readonly directory: Directory;
  /** Of the schema. */
  readonly version: OcsfVersion;
  /** The log's: a bare host name. */
  readonly origin: string;
  /** SHA-256 of the DSSE PAE of the entry's statement, in lower-case hexadecimal. */
  readonly pae: string;
}

/** One entry as one event of the version that is wanted. */
export function ocsfOf(entry: Entry, about: OcsfAbout): JsonObject {
  const asked = entry.erased === true ? null : (about.held?.asked ?? null);
  const row = rows[entry.type];
  const control = controlOf(entry, asked);
  const profiles = [
    ...(control === undefined ? [] : ['security_control']),
    ...(agentOf(entry, asked) === undefined ? [] : ['ai_operation']),
    'record_integrity',
  ];
  const event: JsonObject = {
    ...classOf(row, entry, asked),
    time: Date.parse(entry.at),
    ...severityOf(entry),
    ...statusOf(entry),
    message: entryWords(entry, about.directory, asked).text,
    metadata: metadataOf(entry, about, profiles),
    actor: actorOf(entry, about.directory),
    ...contentOf(row, entry, asked, about),
    ...control,
    ...aiOf(entry, asked),
    unmapped: unmappedOf(entry, about.pae),
    attestation_list: [{ uid: String(entry.index), authority_uid: about.origin, chain_uid: about.origin }],
  };
  // Names are masked by their look as well: whoever wrote one chose it.
  const masked = maskSecrets(downTo(about.version, event));
  return attested(isJsonObject(masked) ? masked : {});
}

function classOf(row: Row, entry: Entry, asked: Asked | null): JsonObject {
  const { uid, name, activities } = classes[row.in];
  const effect = asked?.profile?.effect ?? pickText(entry.data, ['effect']);
  const id = activityFor(row, entry, effect);
  // A row of classes.ts names an activity of its class, 0 or 99.
  const caption = (activities as Readonly<Record<number, string>>)[id];
  const called = caption ?? (id === 99 ? (row.called ?? 'Execute') : 'Unknown');
  const category = Math.floor(uid / 1000);
  return {
    category_uid: category,
    category_name: category === 3 ? 'Identity & Access Management' : 'Application Activity',
    class_uid: uid,
    class_name: name,
    activity_id: id,
    activity_name: called,
    type_uid: uid * 100 + id,
    type_name: `${name}: ${called}`,
  };
}

/** Of some types it hangs on what the entry says. */
function activityFor(row: Row, { type, data, erased }: Entry, effect: string | undefined): number {
  if (erased === true) return row.activity === 'of the action' ? 0 : row.activity;
  if (type === 'membership.changed') return pickText(data, ['how']) === 'lost' ? 2 : 1;
  return row.activity === 'of the action' ? activityOf(effect) : row.activity;
}

const metadataOf = (entry: Entry, about: OcsfAbout, profiles: readonly string[]): JsonObject => ({
  version: about.version,
  product: productOf(),
  profiles,
  uid: String(entry.index),
  sequence: entry.index,
  event_code: entry.type,
  original_time: entry.at,
  log_name: about.origin,
  log_provider: 'Countersign',
  ...(entry.about.action === null ? {} : { correlation_uid: entry.about.action }),
});

/** What the class itself wants. */
function contentOf(row: Row, entry: Entry, asked: Asked | null, about: OcsfAbout): JsonObject {
  const { directory } = about;
  const user = hasUser(row.in)
    ? asked === null
      ? userOf(entry, directory)
      : subjectOf(entry, asked, directory)
    : null;
  switch (row.in) {
    case 'api': {
      const resources = resourcesOf(entry, asked);
      return {
        api: apiOf(entry, asked),
        src_endpoint: sourceOf(entry, asked),
        ...(resources.length === 0 ? {} : { resources }),
      };
    }
    case 'session':
      return { user, privileges: privilegesOf(entry, asked), session: sessionOf(entry, about.origin) };
    case 'access':
      return { user, privileges: privilegesOf(entry, asked) };
    case 'account':
      return { user };
    case 'authentication':
      return { user, service: { name: 'Countersign', uid: about.origin } };
    case 'entity':
      return { entity: entityOf(entry, row), ...commentOf(entry) };
    case 'lifecycle':
      return { app: productOf(), application: { name: 'Countersign', uid: about.origin } };
  }
}

/** Break-glass and grants are the agent's, whoever asked for them. */
const subjectOf = (entry: Entry, asked: Asked, directory: Directory): JsonObject =>
  pickText(entry.data, ['agent']) === undefined && entry.type === 'approval.approved'
    ? agentUser(asked.action.agent)
    : userOf(entry, directory);

function sessionOf(entry: Entry, origin: string): JsonObject {
  const until = entry.data['grantExpiresAtMs'];
  return {
    uid: entry.about.approval ?? String(entry.index),
    issuer: origin,
    ...(typeof until === 'number' ? { expiration_time: until } : {}),
  };
}

function commentOf({ data }: Entry): JsonObject {
  const masked = maskSecrets(data);
  const said = pickText(masked, ['reason']) ?? pickText(masked, ['text']) ?? pickText(masked, ['finding']);
  return said === undefined ? {} : { comment: short(said, 1000) };
}

/** The agent that the entry is about, where it is about one's action. */
function agentOf(entry: Entry, asked: Asked | null): string | undefined {
  if (asked !== null) return asked.action.agent;
  return entry.by.kind === 'agent' ? entry.by.id : undefined;
}

/** The profile `ai_operation`. Which model was behind an agent, no gate can know, so no `ai_model`. */
function aiOf(entry: Entry, asked: Asked | null): JsonObject {
  const agent = agentOf(entry, asked);
  if (agent === undefined) return {};
  const session = asked === null || asked.veiled === true ? null : asked.action.session;
  return {
    ai_agent: {
      uid: short(agent, 300),
      name: short(agent, 300),
      ...(session === null ? {} : { instance_uid: short(maskText(session), 300) }),
    },
    message_context: {
      uid: session === null ? (entry.about.action ?? String(entry.index)) : short(maskText(session), 300),
      ai_role_id: 4,
      ai_role: 'Agent',
      service: { name: 'Countersign' },
    },
  };
}

/** What no class has a place for: the entry itself, masked, and its digest in the log. */
function unmappedOf(entry: Entry, pae: string): JsonObject {
  const masked = maskSecrets(entry.data);
  return {
    countersign: {
      index: entry.index,
      type: entry.type,
      digest: pae,
      approval: entry.about.approval,
      execution: entry.about.execution,
      ...(entry.erased === true ? { erased: true } : { data: isJsonObject(masked) ? masked : {} }),
    },
  };
}

/**
 * The attestation's fingerprint (1.9.0, objects/attestation.json): SHA-256 of the event's JCS without the fingerprint itself. It
 * covers the entry's digest, whose proof is the log's.
 */
function attested(event: JsonObject): JsonObject {
  const list = event['attestation_list'];
  const [one] = Array.isArray(list) ? (list as readonly JsonObject[]) : [];
  if (one === undefined) return event;
  const fingerprint = { algorithm_id: 3, algorithm: 'SHA-256', value: sha256Hex(canonicalize(event)) };
  return { ...event, attestation_list: [{ ...one, fingerprint }] };
}
