/**
 * Proves that a compiled set can be evaluated without hurting the instance that does: every policy by itself, whatever its
 * scope, and every action's slice as the live engine will build it. Runs in the worker, where a trap costs nothing.
 */
import type { CedarValueJson } from '@cedar-policy/cedar-wasm/nodejs';
import { acts } from '../core/acts.ts';
import type { PolicyProblem } from '../ports/policy.ts';
import { isTrap, type Cedar } from './cedar.ts';
import { compile, type Compilation, type Compiled } from './compile.ts';
import { recentType } from './context.ts';
import type { InputType } from './input-type.ts';
import { questionOf } from './operations.ts';
import { projectType } from './project.ts';
import type { Candidate } from './prove.ts';
import { RoleSlices } from './roles.ts';
import { approveSliceOf, sliceOf, type Slice } from './slice.ts';
import type { Statement } from './statement.ts';

const agent = { type: 'Agent', id: 'smoke' };
const context = {
  system: {
    now: { __extn: { fn: 'datetime' as const, arg: '2026-01-01T00:00:00.000Z' } },
    local: { weekday: 4, hour: 0, minute: 0 },
  },
  approvals: { satisfied: [] },
  recent: sampleOf(recentType),
};

/** Compiles a candidate and, where it has no errors, evaluates all of it once. */
export function compileAndTry(start: () => Cedar, { texts, world, contain }: Candidate): Compilation {
  const { compiled, problems } = compile(start, texts, world, contain);
  if (compiled === null) return { compiled, problems };
  const found = smoke(start, compiled);
  return { compiled: found.length === 0 ? compiled : null, problems: [...problems, ...found] };
}

/** What went wrong in the evaluation of a set; empty where it can go live. */
function smoke(start: () => Cedar, compiled: Compiled): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  let cedar = start();
  const attempt = (
    place: { readonly file: string; readonly line: number },
    what: string,
    evaluate: () => void,
  ): void => {
    try {
      evaluate();
    } catch (error) {
      problems.push({
        ...place,
        message: `${what} cannot be evaluated: ${error instanceof Error ? error.message : 'Cedar failed'}`,
        severity: 'error',
      });
      if (isTrap(error)) cedar = start();
    }
  };
  for (const statement of compiled.statements)
    attempt(statement, 'this policy', () => evaluateAlone(cedar, statement));
  const named = new Set(compiled.statements.flatMap((statement) => statement.actions ?? []));
  const slices = [...compiled.operations.keys()].flatMap((name) => [
    sliceOf(compiled, name),
    // One that no policy names has the operation's own forbids, and no more.
    named.has(questionOf(name)) ? sliceOf(compiled, questionOf(name)) : undefined,
  ]);
  const roles = new RoleSlices(compiled);
  for (const slice of [...slices, approveSliceOf(compiled), ...acts.map((act) => roles.slice(act))]) {
    if (slice == null || slice.statements.size === 0) continue;
    const [first] = slice.statements.values();
    attempt({ file: first?.file ?? '', line: first?.line ?? 0 }, `Action::"${slice.action}"`, () =>
      evaluateSlice(cedar, slice),
    );
  }
  return problems;
}

/** The policy's conditions with any scope; its errors do not matter here, only that Cedar comes back. */
function evaluateAlone(cedar: Cedar, statement: Statement): void {
  const parsed = cedar.policyToJson(statement.text);
  if (parsed.type === 'failure') throw new Error('Cedar reads it differently the second time');
  const policy = {
    ...parsed.json,
    principal: { op: 'All' as const },
    action: { op: 'All' as const },
    resource: { op: 'All' as const },
  };
  cedar.isAuthorized({
    principal: agent,
    action: { type: 'Action', id: 'smoke' },
    resource: { type: 'Server', id: 'smoke' },
    context: { input: {}, ...context },
    policies: { staticPolicies: { [statement.id]: policy } },
    entities: [],
  });
}

function evaluateSlice(cedar: Cedar, slice: Slice): void {
  const policies = { staticPolicies: { ...slice.texts } };
  for (const answer of [
    cedar.preparsePolicySet('smoke', policies),
    cedar.preparseSchema('smoke', slice.schema),
  ]) {
    if (answer.type === 'failure') throw new Error(answer.errors.map((error) => error.message).join('; '));
  }
  const sample = sampleOf(projectType(slice.input, slice.reads.input));
  cedar.statefulIsAuthorized({
    principal: agent,
    action: { type: 'Action', id: slice.action },
    resource: { type: 'Server', id: 'smoke' },
    context: { ...context, input: sample },
    preparsedPolicySetId: 'smoke',
    entities: [],
  });
}

/** A value of a type, with every field. */
function sampleOf(type: InputType): CedarValueJson {
  switch (type.kind) {
    case 'string':
      return '';
    case 'long':
      return 0;
    case 'bool':
      return true;
    case 'set':
      return [sampleOf(type.of)];
    case 'record':
      return Object.fromEntries(
        [...type.fields].flatMap(([name, field]) =>
          field.type.kind === 'opaque' ? [] : [[name, sampleOf(field.type)]],
        ),
      );
    case 'opaque':
      return '';
  }
}
