/**
 * Whether what the log tells of went as the gate promises: nothing runs without a grant that the log holds below it, nobody whom an
 * approval's conflict set names has approved it, nothing runs twice, every run ends. A log can be whole and tell of a gate that
 * broke its rules; that is what this finds.
 *
 * Promises: entries are looked at once, in order. Kept are the actions that are not over, and the ids of those that ran.
 */
import { outcomeDueMs } from '../../core/case.ts';
import { hasIndex, type Range } from '../../core/erased.ts';
import type { JsonValue } from '../../core/json.ts';
import { problem, type Problem } from './problem.ts';
import type { EntryFacts } from './statement.ts';

interface Life {
  readonly asked: number;
  readonly digest: unknown;
  /** Whether asking was enough: allowed, observed, or under break-glass. */
  readonly passes: boolean;
  opened: {
    readonly approval: string;
    readonly conflict: readonly unknown[];
    readonly quorum: number;
  } | null;
  /** Who approved, in order. */
  readonly approvers: string[];
  approved: number | null;
  started: { readonly index: number; readonly atMs: number } | null;
}

/** What could not be looked at, and why. */
export interface LifeCounts {
  readonly executions: number;
  /** Entries about actions whose beginning was erased. */
  readonly unseen: number;
}

export class Lives {
  readonly #lives = new Map<string, Life>();
  /** Actions that ran. */
  readonly #ran = new Set<string>();
  /** Run, and had not ended so far, of those whose beginning is not there to be read. */
  readonly #runs = new Set<string>();
  /** Ran, and nobody knows how that ended: a person may settle it, or the gate that ran it tell. */
  readonly #unknown = new Set<string>();
  /** Indexes whose payload is gone, so far, ascending: what is not there may have stood in one of them. */
  readonly #blank: Range[] = [];
  /** Approvals of actions whose asking may be gone, by the action: the index of the entry. */
  readonly #approvedUnseen = new Map<string, number>();
  #unseen = 0;
  #executions = 0;
  #lastMs = 0;

  /** The payload of an entry was erased; in order, among those that are seen. */
  erased(index: number): void {
    const last = this.#blank.at(-1);
    if (last !== undefined && last[1] === index - 1) this.#blank[this.#blank.length - 1] = [last[0], index];
    else this.#blank.push([index, index]);
  }

  /** The last of them; -1: none. */
  get #erased(): number {
    return this.#blank.at(-1)?.[1] ?? -1;
  }

  /** Whether what a run names as its grant is gone. A payload that was erased elsewhere excuses nothing. */
  #isGone(grant: JsonValue | undefined): boolean {
    // Entries of programs before schema 5 name no grant.
    if (grant === undefined) return this.#erased >= 0;
    return typeof grant === 'number' && hasIndex(this.#blank, grant);
  }

  see(entry: EntryFacts): readonly Problem[] {
    this.#lastMs = entry.atMs;
    const { action, index } = entry;
    if (action === null) return [];
    const found: Problem[] = [];
    const finding = (text: string): void =>
      void found.push(problem('finding', index, `Entry ${index}: ${text}`));
    if (entry.type === 'action.asked') {
      if (this.#lives.has(action) || this.#ran.has(action))
        finding(`the action ${action} is asked a second time.`);
      const { effect, mode, glass, digest } = entry.data;
      const passes = effect === 'allow' || mode === 'observe' || glass !== undefined;
      // Denied at once, it is over.
      if (effect === 'deny' && !passes) return found;
      this.#lives.set(action, {
        asked: index,
        digest,
        passes,
        opened: null,
        approvers: [],
        approved: null,
        started: null,
      });
      return found;
    }
    const life = this.#lives.get(action);
    if (life === undefined) this.#stranger(entry, action, finding);
    else this.#goOn(entry, life, action, finding);
    return found;
  }

  /** What still runs when the log ends. */
  end(): readonly Problem[] {
    const found: Problem[] = [];
    for (const [action, { started }] of this.#lives)
      if (started !== null && this.#lastMs - started.atMs > outcomeDueMs)
        found.push(
          problem(
            'finding',
            started.index,
            `Entry ${started.index}: the run of ${action} has no end, though the log goes on for more than an hour.`,
          ),
        );
    return found;
  }

  get counts(): LifeCounts {
    return { executions: this.#executions, unseen: this.#unseen };
  }

  /** About an action that is over, or whose beginning is not there to be read. */
  #stranger(entry: EntryFacts, action: string, finding: (text: string) => void): void {
    const { type } = entry;
    if (type === 'execution.settled') {
      if (this.#unknown.delete(action)) return;
      if (this.#ran.has(action)) finding(`the run of ${action} is settled, and its end was known.`);
      else this.#unasked(action, finding);
    } else if (type === 'execution.started') {
      this.#executions += 1;
      if (this.#ran.has(action)) finding(`the action ${action} runs a second time.`);
      else if (this.#isGone(entry.data['grant'])) this.#unseen += 1;
      else if (this.#erased >= 0 && this.#approvedUnseen.get(action) === entry.data['grant'])
        this.#unseen += 1;
      else finding(`the action ${action} runs, and nothing in the log below it permits that.`);
      this.#approvedUnseen.delete(action);
      this.#ran.add(action);
      this.#runs.add(action);
    } else if (type.startsWith('execution.') && ends.has(type) && this.#ran.has(action)) {
      // The gate was taken for gone, and it lived: what it saw is better than that nobody knows.
      const late = entry.data['late'] === true && this.#unknown.delete(action);
      if (!this.#runs.delete(action) && !late) finding(`the run of ${action} ends a second time.`);
      else if (type === 'execution.unknown') this.#unknown.add(action);
    } else if (type === 'approval.approved' || ends.has(type)) {
      // An end in the moment of asking, such as a denial, is one entry; whatever comes later changes nothing.
      if (!this.#ran.has(action)) this.#unasked(action, finding);
      if (type === 'approval.approved') this.#approvedUnseen.set(action, entry.index);
      else this.#approvedUnseen.delete(action);
    }
  }

  #unasked(action: string, finding: (text: string) => void): void {
    if (this.#erased >= 0) this.#unseen += 1;
    else finding(`nothing in the log asked for the action ${action}.`);
  }

  /** Something is not there: a finding, unless it may have been erased since the action was asked. */
  #lacks(life: Life, finding: (text: string) => void): (text: string) => void {
    return this.#erased > life.asked ? () => void (this.#unseen += 1) : finding;
  }

  #goOn(entry: EntryFacts, life: Life, action: string, finding: (text: string) => void): void {
    const { type, data, by } = entry;
    const other = data['digest'] !== undefined && data['digest'] !== life.digest;
    if (other) finding(`it names another digest than the action ${action} was asked with.`);
    if (type === 'approval.opened') {
      const { conflict, quorum } = data;
      life.opened = {
        approval: entry.approval ?? '',
        conflict: Array.isArray(conflict) ? conflict : [],
        quorum: Number(quorum),
      };
    } else if (type === 'review.recorded' && data['decision'] === 'approve') {
      if (by === null) finding(`a review by nobody.`);
      else if (life.opened?.conflict.includes(by) === true)
        finding(`${by} approved ${action}, and was in its conflict set.`);
      else if (life.approvers.includes(by)) finding(`${by} approved ${action} twice.`);
      if (by !== null) life.approvers.push(by);
    } else if (type === 'approval.approved') this.#approved(entry, life, action, finding);
    else if (type === 'execution.started') this.#started(entry, life, action, finding);
    else if (type === 'execution.settled') finding(`the run of ${action} is settled, and was not unknown.`);
    else if (ends.has(type)) {
      const runs = type.startsWith('execution.');
      if (runs && life.started === null)
        this.#lacks(life, finding)(`the run of ${action} ends, and never began.`);
      if (!runs && life.started !== null) finding(`the approval of ${action} ends after it ran.`);
      if (type === 'execution.unknown') this.#unknown.add(action);
      this.#lives.delete(action);
    }
  }

  #approved(entry: EntryFacts, life: Life, action: string, finding: (text: string) => void): void {
    const { people } = entry.data;
    const lacks = this.#lacks(life, finding);
    if (life.opened === null) {
      life.approved = entry.index;
      return lacks(`${action} is approved, and nobody was asked.`);
    }
    if (life.approved !== null) finding(`${action} is approved a second time.`);
    life.approved = entry.index;
    const named: readonly unknown[] = Array.isArray(people) ? people : [];
    const missing = named.filter((one) => !life.approvers.some((each) => each === one));
    if (missing.length > 0)
      lacks(
        `${action} is approved in the name of ${missing.map(String).join(', ')}, without a review of theirs.`,
      );
    if (new Set(life.approvers).size < life.opened.quorum)
      lacks(`${action} is approved by ${new Set(life.approvers).size}, and it takes ${life.opened.quorum}.`);
  }

  #started(entry: EntryFacts, life: Life, action: string, finding: (text: string) => void): void {
    const { grant } = entry.data;
    this.#executions += 1;
    if (life.started !== null) finding(`the action ${action} runs a second time.`);
    life.started = { index: entry.index, atMs: entry.atMs };
    this.#ran.add(action);
    const gave = life.approved ?? (life.passes && life.opened === null ? life.asked : null);
    if (gave === null) {
      const lacks = this.#isGone(grant) ? this.#lacks(life, finding) : finding;
      lacks(`${action} runs, and nothing in the log below it permits that.`);
    }
    // Entries of programs before schema 5 name no grant.
    else if (grant !== undefined && grant !== gave)
      finding(
        `${action} runs under the grant of entry ${JSON.stringify(grant)}; what permits it is entry ${gave}.`,
      );
  }
}

/** After one of these an action is over. */
const ends: ReadonlySet<EntryFacts['type']> = new Set<EntryFacts['type']>([
  'approval.denied',
  'approval.expired',
  'approval.cancelled',
  'grant.expired',
  'execution.succeeded',
  'execution.failed',
  'execution.unknown',
]);
