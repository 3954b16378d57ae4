/**
 * What OCSF requires of the classes that are used, read from github.com/ocsf/ocsf-schema: events/base_event.json and
 * events/{iam,application}/*.json with their objects, profiles/{ai_operation,security_control,record_integrity}.json, and
 * CHANGELOG.md at v1.9.0 (2026-08-03) for what came with which version. Activities of 1.6.0 are those of
 * schema.ocsf.io/1.6.0/classes. Only what is required, and the constraints `at_least_one`, are held here.
 */

interface ClassRules {
  readonly name: string;
  readonly category: 3 | 6;
  /** `requirement: required`, besides those of every event. */
  readonly required: readonly string[];
  /** Captions by `activity_id`; 0 and 99 are the same in each. */
  readonly activities: Readonly<Record<number, string>>;
  /** `constraints.at_least_one`. */
  readonly atLeastOne?: readonly string[];
}

/** events/base_event.json with traits/classification and traits/occurrence. */
export const everyEvent = [
  'activity_id',
  'category_uid',
  'class_uid',
  'metadata',
  'severity_id',
  'time',
  'type_uid',
] as const;

export const classRules: Readonly<Record<number, ClassRules>> = {
  3001: {
    name: 'Account Change',
    category: 3,
    required: ['user'],
    activities: { 2: 'Enable', 5: 'Disable', 10: 'MFA Factor Enable', 11: 'MFA Factor Disable' },
  },
  3002: {
    name: 'Authentication',
    category: 3,
    required: ['user'],
    activities: { 1: 'Logon', 2: 'Logoff' },
    atLeastOne: ['service', 'dst_endpoint'],
  },
  3003: {
    name: 'Authorize Session',
    category: 3,
    required: ['user'],
    activities: { 1: 'Assign Privileges' },
    atLeastOne: ['privileges', 'groups', 'iam_roles'],
  },
  3004: {
    name: 'Entity Management',
    category: 3,
    required: ['entity'],
    activities: {
      1: 'Create',
      2: 'Read',
      3: 'Update',
      4: 'Delete',
      8: 'Enable',
      9: 'Disable',
      10: 'Activate',
      11: 'Deactivate',
    },
  },
  3005: {
    name: 'User Access Management',
    category: 3,
    required: ['user', 'privileges'],
    activities: { 1: 'Assign Privileges', 2: 'Revoke Privileges' },
  },
  6002: {
    name: 'Application Lifecycle',
    category: 6,
    required: ['app'],
    activities: { 3: 'Start', 4: 'Stop' },
  },
  6003: {
    name: 'API Activity',
    category: 6,
    required: ['actor', 'api', 'src_endpoint'],
    activities: { 1: 'Create', 2: 'Read', 3: 'Update', 4: 'Delete' },
  },
};

/** Objects by the attribute that holds them: what they require, and what they want at least one of. */
export const objectRules: Readonly<
  Record<string, { readonly required?: readonly string[]; readonly atLeastOne?: readonly string[] }>
> = {
  metadata: { required: ['product', 'version'] },
  'metadata.product': { required: ['vendor_name', 'name'] },
  actor: { atLeastOne: ['process', 'user', 'invoked_by', 'session', 'app_name', 'app_uid'] },
  'actor.user': { atLeastOne: ['account', 'name', 'uid'] },
  user: { atLeastOne: ['account', 'name', 'uid'] },
  api: { required: ['operation'] },
  'api.request': { required: ['uid'] },
  src_endpoint: {
    atLeastOne: [
      'ip',
      'uid',
      'name',
      'hostname',
      'svc_name',
      'instance_uid',
      'interface_uid',
      'interface_name',
    ],
  },
  entity: { atLeastOne: ['name', 'uid'] },
  application: { atLeastOne: ['name', 'uid'] },
  app: { required: ['vendor_name'] },
  ai_agent: { required: ['uid'] },
  message_context: { atLeastOne: ['application', 'service'] },
};

/** Attributes and profiles that a version does not have yet. */
export const notYet: Readonly<Record<string, readonly string[]>> = {
  '1.6.0': [
    'ai_agent',
    'ai_operation',
    'message_context',
    'attestation_list',
    'record_integrity',
    'application',
  ],
  '1.8.0': ['ai_agent', 'attestation_list', 'record_integrity', 'application'],
  '1.9.0': [],
};

/** profiles/security_control.json, and `disposition_id` of dictionary.json. */
export const controlCaptions = {
  action_id: { 0: 'Unknown', 1: 'Allowed', 2: 'Denied' },
  disposition_id: {
    1: 'Allowed',
    2: 'Blocked',
    8: 'Approved',
    14: 'Delayed',
    16: 'No Action',
    17: 'Logged',
    19: 'Alert',
    25: 'Rejected',
    26: 'Unauthorized',
  },
  severity_id: { 1: 'Informational', 2: 'Low', 3: 'Medium', 4: 'High' },
  status_id: { 0: 'Unknown', 1: 'Success', 2: 'Failure' },
} as const;
