/**
 * What the log alone tells of each action, written down by other code than the gate's, and what of it may never be: run twice,
 * run without its people, decided twice, left waiting with all its people there.
 */

/** An entry as the API shows it. */
export interface Entry {
  readonly index: number;
  readonly type: string;
  readonly by: { readonly kind: string; readonly id?: string };
  readonly about: {
    readonly action: string | null;
    readonly approval: string | null;
    readonly execution: string | null;
  };
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Review {
  readonly person: string;
  readonly decision: string;
  readonly index: number;
}

export interface Life {
  readonly action: string;
  readonly asked: Entry[];
  readonly opened: Entry[];
  readonly reviews: Review[];
  readonly approved: Entry[];
  /** Denied, expired, cancelled; its grant ran out. */
  readonly closed: Entry[];
  readonly started: Entry[];
  /** Succeeded, failed, unknown. */
  readonly ended: Entry[];
}

const closings = new Set(['approval.denied', 'approval.expired', 'approval.cancelled', 'grant.expired']);
const endings = new Set(['execution.succeeded', 'execution.failed', 'execution.unknown']);

/** The lives of all actions, by their ids. */
export function livesOf(entries: readonly Entry[]): ReadonlyMap<string, Life> {
  const lives = new Map<string, Life>();
  for (const entry of entries) {
    const { action } = entry.about;
    if (action === null) continue;
    let life = lives.get(action);
    if (life === undefined) {
      life = { action, asked: [], opened: [], reviews: [], approved: [], closed: [], started: [], ended: [] };
      lives.set(action, life);
    }
    const { type, data, by, index } = entry;
    if (type === 'action.asked') life.asked.push(entry);
    else if (type === 'approval.opened') life.opened.push(entry);
    else if (type === 'review.recorded')
      life.reviews.push({ person: by.id ?? '', decision: String(data['decision']), index });
    else if (type === 'approval.approved') life.approved.push(entry);
    else if (closings.has(type)) life.closed.push(entry);
    else if (type === 'execution.started') life.started.push(entry);
    else if (endings.has(type)) life.ended.push(entry);
  }
  return lives;
}

/** What its policies said: `allow`, `review`, `deny`. */
const effectOf = ({ asked }: Life): unknown =>
  (asked[0]?.data['verdict'] as { readonly effect?: unknown } | undefined)?.effect;

/** Who may not approve it, and how many must. */
function opening({ opened }: Life): { readonly barred: readonly string[]; readonly quorum: number } {
  // As the gate writes them (core/steps/ask.ts); anything else fails the checks below.
  const { conflict, requirements } = (opened[0]?.data ?? {}) as {
    readonly conflict?: readonly { readonly person: string }[];
    readonly requirements?: readonly { readonly quorum: number }[];
  };
  return {
    barred: conflict?.map((one) => one.person) ?? [],
    quorum: Math.max(...(requirements?.map((one) => one.quorum) ?? [Number.POSITIVE_INFINITY])),
  };
}

/** Who approved before an entry. */
const approversBefore = ({ reviews }: Life, index: number): readonly string[] =>
  reviews.filter((one) => one.decision === 'approve' && one.index < index).map((one) => one.person);

/** What is wrong with one life, in sentences. */
export function wrongWith(life: Life): readonly string[] {
  const { action, asked, opened, approved, closed, started, ended, reviews } = life;
  const problems: string[] = [];
  const wrong = (what: string): void => void problems.push(`${action}: ${what}`);
  const effect = effectOf(life);
  const { barred, quorum } = opening(life);
  for (const [what, entries] of Object.entries({ asked, opened, approved, closed, started }))
    if (entries.length > 1)
      wrong(`${what} ${entries.length} times (${entries.map((one) => one.index).join(', ')})`);
  // Who was taken for gone and was not says so afterwards.
  const [first, second] = ended;
  if (
    ended.length > 2 ||
    (second !== undefined && (first?.type !== 'execution.unknown' || second.data['late'] !== true))
  )
    wrong(`ended ${ended.map((one) => one.type).join(', ')}`);
  if (asked.length === 0) wrong('nobody asked');
  if (ended.length > 0 && started.length === 0) wrong('ended, and never started');
  const approvers = reviews.filter((one) => one.decision === 'approve').map((one) => one.person);
  if (new Set(approvers).size < approvers.length) wrong(`approved twice by one of ${approvers.join(', ')}`);
  for (const person of approvers) if (barred.includes(person)) wrong(`approved by ${person}, who may not`);
  for (const one of started) {
    if (effect === 'deny') wrong('ran, and is denied');
    if (effect !== 'review') continue;
    const [grant] = approved;
    if (grant === undefined || grant.index > one.index) wrong('ran without approval');
    else if (new Set(approversBefore(life, grant.index)).size < quorum)
      wrong(`ran with ${approversBefore(life, grant.index).length} of ${quorum} people`);
    if (closed.some((end) => end.index < one.index)) wrong('ran after it was closed');
  }
  // Nobody changes policies, people or tools in a run.
  for (const one of closed)
    if (one.data['code'] === 'policy_changed')
      wrong(`closed because of a change that nobody made: ${String(one.data['reason'])}`);
  for (const one of approved)
    if (closed.some((end) => end.index < one.index)) wrong('approved after it was closed');
  if (closed.length > 0 && started.some((one) => closed.some((end) => end.index > one.index)))
    wrong('closed after it ran');
  if (opened.length > 0 && approved.length === 0 && closed.length === 0 && new Set(approvers).size >= quorum)
    wrong(`waits for ever, with ${approvers.join(' and ')} of ${quorum}`);
  return problems;
}
