/** A small organisation to judge against, and shorthands for policy sets and actions. */
import { asAgentId, asGroupId, asPersonId, asSha256Hex } from '../../../src/core/ids.ts';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import type { PinnedTool } from '../../../src/core/tool.ts';
import type { Verdict } from '../../../src/core/verdict.ts';
import type { Judgeable, PolicyEngine, PolicyTexts, PolicyWorld } from '../../../src/ports/policy.ts';
import { startCedar } from '../../../src/policy/cedar.ts';
import { createPolicyEngine, type Parts } from '../../../src/policy/engine.ts';
import { compileAndTry } from '../../../src/policy/smoke.ts';

const groups = (...names: string[]) => names.map(asGroupId);
const person = (id: string, ...of: string[]) => ({ id: asPersonId(id), name: id, groups: groups(...of) });

export const directory: PolicyWorld['directory'] = {
  people: [
    person('rosa', 'data-owners'),
    person('sam', 'data-owners', 'sre', 'platform', 'audit'),
    person('mia', 'sre', 'security'),
    person('lee', 'security'),
    person('nora', 'sre'),
  ],
  agents: [{ id: asAgentId('crm-bot'), owners: [asPersonId('sam')], groups: groups('support-agents') }],
  roles: { operators: asGroupId('platform'), auditors: asGroupId('audit') },
};

export const noon = Date.UTC(2026, 10, 22, 12);

/** A pinned tool of the server `ops`. */
export function tool(name: string, properties: JsonObject, more: JsonObject = {}): PinnedTool {
  const definition = {
    name,
    inputSchema: { type: 'object', properties, additionalProperties: false, ...more },
  };
  const hash = asSha256Hex('0'.repeat(64));
  return {
    server: 'ops',
    tool: name,
    status: 'enabled',
    definition,
    hash,
    seen: null,
    seenHash: null,
    atMs: 0,
  };
}

export const string = { type: 'string' };
export const integer = { type: 'integer' };
export const boolean = { type: 'boolean' };

export const exportRows = tool(
  'export_rows',
  {
    table: string,
    rows: integer,
    labels: { type: 'array', items: string },
    opts: { type: 'object', properties: { dry: boolean }, required: ['dry'] },
  },
  { required: ['table', 'rows'] },
);
export const grantRole = tool(
  'grant_role',
  { principal: string, role: string },
  { required: ['principal', 'role'] },
);
export const deleteRegion = tool('delete_region', { region: string });

export const world = (more: Partial<PolicyWorld> = {}): PolicyWorld => ({
  directory,
  servers: ['ops', 'files'],
  tools: [exportRows, grantRole, deleteRegion],
  resourceTypes: {},
  operations: [],
  versions: { policySet: 3, directory: 2, tools: 1 },
  ...more,
});

export const texts = (
  policies: string,
  more: { readonly schema?: string; readonly entities?: JsonValue } = {},
): PolicyTexts => ({
  policies: [{ file: 'a.cedar', text: policies }],
  schemas: more.schema === undefined ? [] : [{ file: 'a.cedarschema', text: more.schema }],
  entities: more.entities ?? null,
});

export const asks = (
  operation: string,
  input: JsonObject = {},
  resource = { type: 'Server', id: operation.split('___')[0] ?? '' },
): Judgeable => ({
  agent: asAgentId('crm-bot'),
  operation,
  input,
  resource,
});

export const permitAll = '@id("all") permit (principal, action, resource);\n';

const cedar = startCedar();

/** An engine that proves candidates right here, as the worker would (load.test.ts and hostile.test.ts use the worker). */
export const quickEngine = (more: Partial<Parts> = {}): PolicyEngine =>
  createPolicyEngine({
    prove: (candidate) => Promise.resolve(compileAndTry(() => cedar, candidate)),
    // A test on a busy machine is told all that there is to tell.
    explainMsMax: 60_000,
    explainMsPerSecond: 1e9,
    ...more,
  });

/** A quick engine with this set live; throws where it has errors. */
export async function engineWith(
  set: PolicyTexts | string,
  in_: PolicyWorld = world(),
  more: Partial<Parts> = {},
): Promise<PolicyEngine> {
  const engine = quickEngine(more);
  const proposed = typeof set === 'string' ? texts(set) : set;
  const { ok, problems } = await engine.check(proposed, in_);
  if (!ok)
    throw new Error(
      problems.map((problem) => `${problem.file}:${problem.line}: ${problem.message}`).join('\n'),
    );
  const loaded = await engine.load(proposed, in_, null);
  if (!loaded.ok) throw new Error('checked, but does not load');
  return engine;
}

/** `allow`, `review:a,b` or the code of a denial. */
export function short(verdict: Verdict): string {
  if (verdict.effect === 'allow') return 'allow';
  return verdict.effect === 'deny'
    ? verdict.code
    : `review:${verdict.requirements.map((requirement) => requirement.id).join(',')}`;
}
