/** Break-glass, from the outside: each ends in one command of the store, which decides (core/steps/glass.ts). */
import { canonicalize } from '../core/canonical.ts';
import type { Case } from '../core/case.ts';
import type { Idempotency } from '../core/command.ts';
import type { Principal } from '../core/directory.ts';
import { glassOperation, glassTextCharsMax, mayReadGlass, type Glass, type GlassId } from '../core/glass.ts';
import { actionIdOf, approvalIdOf, type AgentId, type PersonId } from '../core/ids.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { hmacSha256Hex } from '../core/sha256.ts';
import { hex } from './authorize.ts';
import type { Parts } from './parts.ts';
import { refusalOf } from './review.ts';

export interface GlassAsked {
  readonly agent: AgentId;
  readonly operation: string;
  readonly minutes: number;
  readonly reason: string;
}

/** Asks two people to open it. A refusal is also that nobody is left who may. */
export async function askGlass(
  parts: Parts,
  by: Principal,
  asked: GlassAsked,
  idempotency?: Idempotency,
): Promise<Result<Case, Refusal>> {
  // What there is nothing of cannot be an emergency, and may be a misspelling that is approved and then helps nobody.
  if (parts.world.catalog.entry(asked.operation) === undefined)
    return err(refuse('input_invalid', 'There is no such operation here.', { pointer: '/operation' }));
  const { agent, operation } = asked;
  const key = parts.store.joinKey();
  const result = await parts.store.change(
    {
      kind: 'askGlass',
      by,
      ...asked,
      id: actionIdOf(parts.random.bytes(16)),
      approval: approvalIdOf(parts.random.bytes(16)),
      salt: hex(parts.random.bytes(32)),
      // One at a time of each person.
      joinKey: hmacSha256Hex(key, canonicalize({ operation: glassOperation, by: by.id })),
      likeKey: hmacSha256Hex(key, canonicalize({ operation: glassOperation, about: { agent, operation } })),
      limits: parts.limits,
    },
    idempotency,
  );
  if (!result.ok) return err(refusalOf(result.error));
  if (result.value.kind !== 'case') throw new TypeError('askGlass answers a case');
  const held = result.value.case;
  return held.approval === null ? err(nobodyLeft(held)) : ok(held);
}

/** People are told whom it would take, which agents are not. */
const nobodyLeft = ({ ending, asked }: Case): Refusal =>
  refuse(
    ending?.code ?? 'nobody_left',
    `${asked.verdict.explanation.text} Where an owner of the agent asks, one more is left to approve it.`,
  );

/** @param by who ends it. Ended already: nothing more changes. */
export async function endGlass(
  parts: Parts,
  by: Principal,
  glass: GlassId,
  said: { readonly reason: string | null; readonly idempotency?: Idempotency | undefined },
): Promise<Result<Glass, Refusal>> {
  const reason =
    said.reason === null || said.reason.trim() === '' ? null : said.reason.slice(0, glassTextCharsMax);
  const result = await parts.store.change({ kind: 'endGlass', glass, by, reason }, said.idempotency);
  return result.ok ? readBack(parts, glass) : err(refusalOf(result.error));
}

/** Closes it for good. @param said what was found, in words. */
export async function reviewGlass(
  parts: Parts,
  by: Principal,
  glass: GlassId,
  said: { readonly finding: string; readonly idempotency?: Idempotency | undefined },
): Promise<Result<Glass, Refusal>> {
  const finding = said.finding.slice(0, glassTextCharsMax);
  const result = await parts.store.change({ kind: 'reviewGlass', glass, by, finding }, said.idempotency);
  return result.ok ? readBack(parts, glass) : err(refusalOf(result.error));
}

async function readBack({ store }: Parts, id: GlassId): Promise<Result<Glass, Refusal>> {
  const glass = await store.glassBy({ id });
  return glass === undefined ? err(refuse('not_found', 'There is no such break-glass.')) : ok(glass);
}

/** Those of all time that somebody may read, newest first. */
export async function listGlasses(
  { store }: Parts,
  person: PersonId,
  query: { readonly limit: number; readonly after?: GlassId },
): Promise<{ readonly items: readonly Glass[]; readonly next: GlassId | undefined }> {
  const directory = await store.directory();
  const rows = await store.glasses({ ...query, limit: query.limit + 1 });
  const shown = rows.slice(0, query.limit);
  return {
    items: shown.filter((one) => mayReadGlass(one, person, directory)),
    next: rows.length > query.limit ? shown.at(-1)?.id : undefined,
  };
}
