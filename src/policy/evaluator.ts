/**
 * Asks Cedar. Promises: never throws; whatever is not a clean answer is `failed`, because Cedar skips a forbid that errors
 * and then answers "allow"; an instance that trapped is thrown away, and the next question starts a new one.
 */
import type { CedarValueJson, DetailedError } from '@cedar-policy/cedar-wasm/nodejs';
import { isTrap, type Cedar } from './cedar.ts';
import { forCedar, type Entity } from './entities.ts';
import type { EntityName } from './expression.ts';
import type { Slice } from './slice.ts';

export interface Request {
  readonly principal: EntityName;
  readonly resource: EntityName;
  readonly context: Record<string, CedarValueJson>;
  readonly entities: readonly Entity[];
}

export type Evaluated =
  /** `determining`: ids of the permits that allowed or the forbids that denied, sorted. */
  | { readonly kind: 'allow' | 'deny'; readonly determining: readonly string[] }
  | { readonly kind: 'failed'; readonly why: string };

/**
 * Slices that are parsed at a time. Cedar never frees a parsed set, but replaces one of the same name: so names are slots,
 * and the slot of the slice that was used least recently is taken next. Parsing one again takes milliseconds; 2,000 parsed ones
 * of a set of 10,000 policies took some 200 MB.
 */
const slotsMax = 1024;

const slotNames = (): string[] => Array.from({ length: slotsMax }, (_, index) => `slot${index}`);

export class Evaluator {
  private cedar: Cedar | undefined;
  private readonly slots = new Map<Slice, string>();
  private free = slotNames();
  private readonly start: () => Cedar;

  constructor(start: () => Cedar) {
    this.start = start;
  }

  /** Forgets all slices; their slots are used again. */
  reset(): void {
    this.slots.clear();
    this.free = slotNames();
  }

  evaluate(slice: Slice, request: Request): Evaluated {
    try {
      this.cedar ??= this.start();
      const slot = this.slotOf(this.cedar, slice);
      if ('refused' in slot) return { kind: 'failed', why: slot.refused };
      const answer = this.cedar.statefulIsAuthorized({
        principal: request.principal,
        action: { type: 'Action', id: slice.action },
        resource: request.resource,
        context: request.context,
        entities: forCedar(request.entities),
        preparsedPolicySetId: slot.name,
        preparsedSchemaName: slot.name,
        validateRequest: true,
      });
      if (answer.type !== 'success') return { kind: 'failed', why: messages(answer.errors) };
      const { decision, diagnostics } = answer.response;
      if (diagnostics.errors.length > 0) {
        return {
          kind: 'failed',
          why: diagnostics.errors.map(({ policyId, error }) => `${policyId}: ${error.message}`).join('; '),
        };
      }
      return { kind: decision === 'allow' ? 'allow' : 'deny', determining: diagnostics.reason.toSorted() };
    } catch (error) {
      if (isTrap(error)) this.throwAway();
      return { kind: 'failed', why: error instanceof Error ? error.message : 'Cedar failed' };
    }
  }

  private throwAway(): void {
    this.cedar = undefined;
    this.reset();
  }

  /** The slice's slot, parsed into first where it has none; a text where Cedar refuses it. */
  private slotOf(cedar: Cedar, slice: Slice): { readonly name: string } | { readonly refused: string } {
    const held = this.slots.get(slice);
    if (held !== undefined) {
      this.slots.delete(slice); // and so it becomes the one used last
      this.slots.set(slice, held);
      return { name: held };
    }
    const name = this.free.pop() ?? this.evicted();
    try {
      for (const answer of [
        cedar.preparsePolicySet(name, { staticPolicies: { ...slice.texts } }),
        cedar.preparseSchema(name, slice.schema),
      ]) {
        if (answer.type === 'failure') return { refused: messages(answer.errors) };
      }
      this.slots.set(slice, name);
      return { name };
    } finally {
      if (this.slots.get(slice) !== name) this.free.push(name);
    }
  }

  private evicted(): string {
    const [oldest] = this.slots;
    if (oldest === undefined) throw new TypeError('no slot is free and none is used'); // a bug of this file
    this.slots.delete(oldest[0]);
    return oldest[1];
  }
}

const messages = (errors: readonly DetailedError[]): string =>
  errors.map((error) => error.message).join('; ');
