/**
 * Versions of the OCSF schema (github.com/ocsf/ocsf-schema). Events are made as of the newest that is written here; what an
 * earlier one does not know is taken out again, never renamed, so that an event of any version validates against its own schema.
 *
 * What differs, of what is used: 1.9.0 (CHANGELOG of 2026-08-03) added `ai_agent` to the profile `ai_operation` (#1641), put that
 * profile on the base classes of the categories application and iam, added the profile `record_integrity` with `attestation_list`
 * (#1661), and `application` in Application Lifecycle (#1702). The profile `ai_operation` itself came after 1.6.0 (#1488), on API
 * Activity alone among our classes.
 */
import type { JsonObject, JsonValue } from '../json.ts';

/** The same as `LogSettings.ocsf`. */
export const ocsfVersions = ['1.6.0', '1.8.0', '1.9.0'] as const;
export type OcsfVersion = (typeof ocsfVersions)[number];

/** The class that had the profile `ai_operation` before 1.9.0. */
const apiActivity = 6003;

/** What came with 1.9.0, and what came with the profile `ai_operation`. */
const since19 = ['ai_agent', 'application', 'attestation_list', 'record_integrity'] as const;
const ofOperation = ['ai_operation', 'message_context'] as const;

/** Attributes of an event, or of its `metadata.profiles`, that a version does not know for this class. */
function unknownIn(version: OcsfVersion, classUid: JsonValue | undefined): ReadonlySet<string> {
  switch (version) {
    case '1.9.0':
      return new Set();
    case '1.8.0':
      return new Set(classUid === apiActivity ? since19 : [...since19, ...ofOperation]);
    case '1.6.0':
      return new Set([...since19, ...ofOperation]);
  }
}

/** An event of the newest version as one of this version. */
export function downTo(version: OcsfVersion, event: JsonObject): JsonObject {
  const unknown = unknownIn(version, event['class_uid']);
  const kept = Object.entries(event).filter(([name]) => !unknown.has(name));
  const { metadata } = event;
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    return Object.fromEntries(kept);
  // Array.isArray does not narrow a readonly array away.
  const about = metadata as JsonObject;
  const { profiles } = about;
  const left = Array.isArray(profiles)
    ? (profiles as readonly JsonValue[]).filter((one) => typeof one !== 'string' || !unknown.has(one))
    : [];
  return { ...Object.fromEntries(kept), metadata: { ...about, version, profiles: left } };
}
