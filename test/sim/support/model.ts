/**
 * A small model of what a log tells, made from its entries alone and sharing nothing with the gate but their format. It is told
 * each entry once, in order, and says at once what must not be: a run without its people, after an end, or a second time.
 */
import assert from 'node:assert/strict';
import {
  chain,
  emptyHead,
  payloadType,
  preAuthentication,
  type Entry,
  type EntryType,
  type Sealed,
} from '../../../src/core/entry.ts';
import { asAgentId } from '../../../src/core/ids.ts';
import { sha256Hex } from '../../../src/core/sha256.ts';
import { Lives } from '../../../src/log/verify/life.ts';
import { readStatement } from '../../../src/log/verify/statement.ts';
import { accountable } from './organisation.ts';
import { dataOf, listOf, textOf, textsOf, type Data, type Told, type Wanted } from './told.ts';

const atOf = ({ index }: Entry, { id }: Told): string => `entry ${index}, ${id}`;

export class Model {
  readonly entries: Sealed[] = [];
  readonly actions = new Map<string, Told>();
  readonly approvals = new Map<string, Told>();
  readonly executions = new Map<string, Told>();
  /** In force: agent, or agent and operation. */
  readonly stops = new Set<string>();
  /** Break-glass by id: what it lifts and until when. */
  readonly glasses = new Map<string, { readonly agent: string; readonly operation: string; open: boolean }>();
  readonly erased = new Set<number>();
  /** What every channel has to be told of, and what was given up: kind and approval. */
  readonly notices = new Set<string>();
  readonly givenUp = new Set<string>();
  readonly types = new Map<string, number>();
  #head = emptyHead;
  readonly #lives = new Lives();

  get size(): number {
    return this.entries.length;
  }

  /** The next entry. */
  take(sealed: Sealed): void {
    const { entry } = sealed;
    const index = this.entries.length;
    assert.equal(entry.index, index, 'the log has a gap');
    assert.equal(sealed.pae, sha256Hex(preAuthentication(payloadType, sealed.statement)));
    this.#head = chain(this.#head, sealed.pae);
    assert.equal(sealed.head, this.#head, `entry ${index} does not follow from the one before it`);
    const facts = readStatement(sealed.statement, index);
    assert.deepEqual(typeof facts === 'string' ? facts : this.#lives.see(facts), [], 'log verify');
    const before = this.entries.at(-1)?.entry.at ?? '';
    assert.ok(before <= entry.at, `time runs backwards at entry ${index}`);
    this.entries.push(sealed);
    this.types.set(entry.type, (this.types.get(entry.type) ?? 0) + 1);
    this.#tell(entry, dataOf(entry.data));
  }

  get head(): { readonly size: number; readonly head: string } {
    return { size: this.size, head: this.#head };
  }

  #tell(entry: Entry, data: Data): void {
    const told = entry.about.action === null ? undefined : this.actions.get(entry.about.action);
    const world = this.#world[entry.type];
    if (world !== undefined) world(entry, data);
    else if (told !== undefined) this.#ofAction[entry.type]?.(entry, data, told);
  }

  /** Entries that change what actions are judged in. */
  readonly #world: Partial<Record<EntryType, (entry: Entry, data: Data) => void>> = {
    'action.asked': (entry, data) => this.#asked(entry, data),
    'agent.stopped': (_, { agent }) => void this.stops.add(textOf(agent)),
    'operation.paused': (_, { agent, operation }) =>
      void this.stops.add(`${textOf(agent)} ${textOf(operation)}`),
    'stop.lifted': (_, { agent, operation }) =>
      void this.stops.delete(operation === null ? textOf(agent) : `${textOf(agent)} ${textOf(operation)}`),
    'glass.opened': (_, { glass, agent, operation }) =>
      void this.glasses.set(textOf(glass), {
        agent: textOf(agent),
        operation: textOf(operation),
        open: true,
      }),
    'glass.closed': (_, { glass }) => {
      const closed = this.glasses.get(textOf(glass));
      if (closed !== undefined) closed.open = false;
    },
    'payloads.erased': (_, { indexes }) => {
      for (const range of listOf(indexes)) {
        const [from, to] = listOf(range);
        for (let at = Number(from); at <= Number(to); at += 1) this.erased.add(at);
      }
    },
    'notice.failed': ({ about }, { channel, kind }) =>
      void this.givenUp.add(`${textOf(channel)} ${textOf(kind)} ${about.approval ?? ''}`),
  };

  #asked(entry: Entry, data: Data): void {
    const id = entry.about.action ?? '';
    assert.ok(!this.actions.has(id), `${id} is asked twice`);
    const agent = entry.by.kind === 'agent' ? entry.by.id : 'gate';
    this.actions.set(id, {
      id,
      agent,
      operation: textOf(data['operation']),
      effect: textOf(dataOf(data['verdict'])['effect']),
      glass: typeof data['glass'] === 'string' ? data['glass'] : null,
      joinedFrom: entry.index,
      approval: null,
      wanted: [],
      conflict: new Set(),
      expiresAtMs: 0,
      approvers: new Map(),
      deniers: new Set(),
      granted: null,
      ended: null,
      execution: null,
      outcome: null,
    });
  }

  /** Entries that an action goes on by. */
  readonly #ofAction: Partial<Record<EntryType, (entry: Entry, data: Data, told: Told) => void>> = {
    'approval.opened': (entry, data, told) => this.#opened(entry, data, told),
    'review.recorded': (entry, data, told) => this.#reviewed(entry, data, told),
    'approval.approved': (entry, data, told) => {
      this.#approved(entry, data, told);
      this.#notice('approval.closed', told);
    },
    'approval.denied': (entry, _, told) => this.#ended(entry, told),
    'approval.expired': (entry, _, told) => this.#ended(entry, told),
    'approval.cancelled': (entry, _, told) => this.#ended(entry, told),
    'grant.expired': (entry, _, told) => this.#ended(entry, told),
    'execution.started': (entry, _, told) => this.#started(entry, told),
    'execution.succeeded': (entry, _, told) => this.#ran(entry, told),
    'execution.failed': (entry, _, told) => this.#ran(entry, told),
    'execution.unknown': (entry, _, told) => this.#ran(entry, told),
    'execution.settled': (entry, _, told) => this.#ran(entry, told),
  };

  #notice(kind: string, { approval }: Told): void {
    if (approval !== null) this.notices.add(`${kind} ${approval}`);
  }

  #opened(entry: Entry, data: Data, told: Told): void {
    const eligible = listOf(data['eligible']).map(dataOf);
    told.approval = entry.about.approval;
    this.approvals.set(told.approval ?? '', told);
    told.wanted = listOf(data['requirements'])
      .map(dataOf)
      .map((one): Wanted => {
        const row = eligible.find((each) => each['requirement'] === one['id']) ?? {};
        return {
          id: textOf(one['id']),
          quorum: Number(one['quorum']),
          stepUp: one['stepUp'] !== null,
          people: new Set(textsOf(row['people'])),
          standIns: new Set(textsOf(row['standIns'])),
        };
      });
    told.conflict = new Set(listOf(data['conflict']).map((one) => textOf(dataOf(one)['person'])));
    told.expiresAtMs = Number(data['expiresAtMs']);
    this.#notice('approval.opened', told);
  }

  #reviewed(entry: Entry, data: Data, told: Told): void {
    const at = atOf(entry, told);
    assert.ok(entry.by.kind === 'person', `${at}: reviewed by ${entry.by.kind}`);
    assert.equal(told.ended, null, `${at}: reviewed after its end`);
    assert.equal(told.execution, null, `${at}: reviewed after it ran`);
    assert.ok(Date.parse(entry.at) < (told.granted?.untilMs ?? told.expiresAtMs), `${at}: reviewed too late`);
    const person = entry.by.id;
    if (data['decision'] === 'deny') {
      told.deniers.add(person);
      return;
    }
    assert.equal(told.granted, null, `${at}: approved by one more`);
    assert.ok(!told.approvers.has(person), `${at}: ${person} counts twice`);
    assert.ok(!told.conflict.has(person), `${at}: ${person} is in its conflict set`);
    assert.notEqual(accountable.get(asAgentId(told.agent)), person, `${at}: ${person} owns its agent`);
    told.approvers.set(person, {
      standsFor: typeof data['standingInFor'] === 'string' ? data['standingInFor'] : null,
      proven: data['proof'] !== undefined,
    });
  }

  #ended(entry: Entry, told: Told): void {
    const at = atOf(entry, told);
    assert.equal(told.ended, null, `${at}: ends twice`);
    assert.equal(told.execution, null, `${at}: ends after it ran`);
    told.ended = entry.type;
    this.#notice('approval.closed', told);
  }

  #ran(entry: Entry, told: Told): void {
    const at = atOf(entry, told);
    assert.equal(told.execution, entry.about.execution, `${at}: another run ends`);
    assert.ok(
      told.outcome === null || told.outcome === 'execution.unknown',
      `${at}: ${told.outcome ?? ''}, and then ${entry.type}`,
    );
    told.outcome = entry.type;
    // What the gate does itself is over with its approval, and told as that.
    if (told.agent !== 'gate') this.#notice('execution.ended', told);
  }

  #approved(entry: Entry, data: Data, told: Told): void {
    const at = atOf(entry, told);
    assert.equal(told.ended, null, `${at}: approved after its end`);
    assert.equal(told.granted, null, `${at}: approved twice`);
    assert.ok(told.deniers.size === 0, `${at}: approved although somebody denied it`);
    for (const { id, quorum, stepUp, people, standIns } of told.wanted) {
      const voices = new Set(
        [...told.approvers].flatMap(([person, { standsFor, proven }]) =>
          (people.has(person) || standIns.has(person) || (standsFor !== null && people.has(standsFor))) &&
          (!stepUp || proven)
            ? [person]
            : [],
        ),
      );
      assert.ok(voices.size >= quorum, `${at}: ${id} has ${voices.size} of its ${quorum} people`);
    }
    told.granted = { index: entry.index, untilMs: Number(data['grantExpiresAtMs']) };
  }

  #started(entry: Entry, told: Told): void {
    const at = atOf(entry, told);
    assert.equal(told.execution, null, `${at} runs twice`);
    assert.equal(told.ended, null, `${at} runs after ${told.ended ?? ''}`);
    if (told.agent !== 'gate') {
      assert.ok(!this.stops.has(told.agent), `${at} runs although ${told.agent} is stopped`);
      assert.ok(!this.stops.has(`${told.agent} ${told.operation}`), `${at} runs although it is paused`);
    }
    if (told.approval !== null) {
      assert.ok(told.granted !== null, `${at} runs without a grant`);
      assert.ok(Date.parse(entry.at) < told.granted.untilMs, `${at} runs after its grant is over`);
    } else if (told.glass === null) assert.equal(told.effect, 'allow', `${at} runs, and nobody was asked`);
    else {
      const glass = this.glasses.get(told.glass);
      assert.ok(glass?.open === true, `${at} runs under a break-glass that is not open`);
      assert.deepEqual(
        [glass.agent, glass.operation],
        [told.agent, told.operation],
        `${at}: another's glass`,
      );
    }
    told.execution = entry.about.execution;
    this.executions.set(told.execution ?? '', told);
  }

  /** The approvals that wait for somebody, the newest first. @param nowMs those whose time is over by then are shown no more. */
  inboxOf(person: string, nowMs = Number.NEGATIVE_INFINITY): readonly string[] {
    return [...this.actions.values()]
      .filter(
        (told) =>
          told.approval !== null &&
          told.granted === null &&
          told.ended === null &&
          told.expiresAtMs > nowMs &&
          told.wanted.some(({ people, standIns }) => people.has(person) || standIns.has(person)),
      )
      .map((told) => told.approval ?? '')
      .toReversed();
  }
}
