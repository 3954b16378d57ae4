/**
 * The rows of the population, in pages: entries about one action after another, as the log has them, each page as long as it is read
 * and no longer. The headline is made only from bytes whose digest the log names.
 */
import { digestOf, subjectOf, type Action } from '../core/action.ts';
import { caseEntriesOf, type CaseEntries, type Grounds } from '../core/evidence/case-entries.ts';
import type { PopulationRow } from '../core/evidence/model-rows.ts';
import { rowOf } from '../core/evidence/population.ts';
import { textAt, type Seen } from '../core/evidence/read.ts';
import { asSha256Hex, type Sha256Hex } from '../core/ids.ts';
import { profileHash, unknownProfile, type Profile } from '../core/profile.ts';
import { headlineOf } from '../core/render/headline.ts';
import type { Titled } from '../core/render/read.ts';
import type { Sealed } from '../core/entry.ts';
import type { AboutPlace, AskedBytes } from '../ports/evidence.ts';
import type { Store } from '../ports/store.ts';
import type { Indexes } from './evidence-history.ts';

/** Actions of a page. */
export const pageRows = 200;
/** Entries about one action that are read. */
const entriesMax = 10_000;
/** The number of an action is at most so far below its first entry: what a change of the configuration drops comes before it. */
const ordSlack = 16;

/** As whoever makes the evidence sees them. */
export type Veil = (
  entries: readonly Sealed[],
) => Promise<readonly (Sealed & { readonly veiled: boolean })[]>;

export interface RowSource {
  readonly store: Pick<Store, 'entriesOfActions' | 'askedBytes'>;
  readonly range: Indexes;
  readonly grounds: Grounds;
  readonly veil: Veil;
}

/** A row with what it was made of. */
export interface MadeRow {
  readonly row: PopulationRow;
  readonly entries: CaseEntries;
  /** The action itself, where its bytes are those of the log. */
  readonly titled: Titled | null;
}

interface Group {
  readonly ord: number;
  readonly sealed: Sealed[];
}

/** Pages of rows, in the order of the log, numbered from 1. */
export async function* madeRows(source: RowSource): AsyncGenerator<readonly MadeRow[]> {
  const { from, to } = source.range;
  let row = 0;
  const ords = { from: Math.max(0, from - ordSlack), to, below: to };
  for await (const groups of groupsOf(source, ords)) {
    const page = await rowsOf(source, groups, () => (row += 1));
    if (page.length > 0) yield page;
  }
}

/** The row of one action that was asked before the period; its number is 0. */
export async function carriedRow(source: RowSource, ord: number): Promise<MadeRow | undefined> {
  const all = { ...source, range: { ...source.range, from: 0 } };
  for await (const groups of groupsOf(source, { from: ord, to: ord + 1, below: source.range.to }))
    return (await rowsOf(all, groups, () => 0))[0];
  return undefined;
}

async function* groupsOf(
  { store }: RowSource,
  range: { readonly from: number; readonly to: number; readonly below: number },
): AsyncGenerator<readonly Group[]> {
  let after: AboutPlace | null = null;
  let groups: Group[] = [];
  for (;;) {
    const page = await store.entriesOfActions(range, after, 1000);
    for (const { ord, sealed } of page) {
      if (ord === null) continue;
      let last = groups.at(-1);
      if (last?.ord !== ord) {
        // The last of them is whole now, and so are those before.
        if (groups.length >= pageRows) {
          yield groups;
          groups = [];
        }
        last = { ord, sealed: [] };
        groups.push(last);
      }
      if (last.sealed.length < entriesMax) last.sealed.push(sealed);
      after = { ord, index: sealed.entry.index };
    }
    if (page.length < 1000) break;
  }
  if (groups.length > 0) yield groups;
}

async function rowsOf(
  { store, range, grounds, veil }: RowSource,
  groups: readonly Group[],
  number: () => number,
): Promise<readonly MadeRow[]> {
  const bytes = await bytesOf(store, groups);
  // One call for all of them: whether an action may be seen is asked once for each.
  const seen = await veil(groups.flatMap(({ sealed }) => sealed));
  const rows: MadeRow[] = [];
  let at = 0;
  for (const { ord, sealed } of groups) {
    const mine = seen.slice(at, at + sealed.length);
    at += sealed.length;
    const entries = caseEntriesOf(mine.map(({ entry, veiled }): Seen => ({ entry, veiled })));
    if (entries === undefined) continue;
    const { index } = entries.asked.entry;
    if (index < range.from || index >= range.to) continue;
    const asked = sealed.find(({ entry }) => entry.index === index);
    const subject = asked === undefined ? null : subjectIn(asked);
    const titled = titledOf(entries, subject, bytes.get(ord));
    const headline = titled === null ? null : headlineOf(titled).text;
    rows.push({ row: rowOf(number(), entries, grounds, { headline, subject }), entries, titled });
  }
  return rows;
}

async function bytesOf(
  store: RowSource['store'],
  groups: readonly Group[],
): Promise<ReadonlyMap<number, AskedBytes>> {
  const [first, last] = [groups[0]?.ord, groups.at(-1)?.ord];
  const found = new Map<number, AskedBytes>();
  if (first === undefined || last === undefined) return found;
  for (let from = first; from <= last;) {
    const page = await store.askedBytes(from, last + 1, pageRows);
    for (const one of page) found.set(one.ord, one);
    const end = page.at(-1);
    if (end === undefined) break;
    from = end.ord + 1;
  }
  return found;
}

/** The action; null where its bytes are not those of the log, or hidden. */
function titledOf(
  { asked }: CaseEntries,
  subject: Sha256Hex | null,
  bytes: AskedBytes | undefined,
): Titled | null {
  if (asked.veiled || asked.entry.erased === true || bytes === undefined || bytes.canonical === '')
    return null;
  const { canonical, profile } = bytes;
  if (digestOf(canonical) !== textAt(asked.entry.data, 'digest') || subjectOf(canonical) !== subject)
    return null;
  // Text with this digest was made of an Action (core/action.ts).
  const action = JSON.parse(canonical) as Action;
  // The pinned hash binds the profile; what its preview measured is bound by nothing, and is not told here.
  const bound = profileHash(profile ?? unknownProfile) === action.target.profile ? profile : null;
  return { action, profile: bound === null ? null : unmeasured(bound), preview: null, before: null };
}

const unmeasured = ({ preview: _preview, ...plain }: Profile): Profile => plain;

/** The subject of an entry's statement; null where it was erased. */
function subjectIn({ statement }: Sealed): Sha256Hex | null {
  if (statement === '') return null;
  // `seal` (core/entry.ts) made the text, with one subject.
  const { subject } = JSON.parse(statement) as {
    readonly subject: readonly { readonly digest: { readonly sha256: string } }[];
  };
  const [one] = subject;
  return one === undefined ? null : asSha256Hex(one.digest.sha256);
}
