/**
 * What a large database is made of: a few actions that a real gate took through the API, each as the rows that the store has of it,
 * with everything in them that differs from action to action (ids, digests, salts, times, places in the log) left open.
 */
import pg from 'pg';
import { agentOf, operationOf, personOf, teams } from './scale-organisation.ts';

/** What is put in where a template is open. */
export interface Blanks {
  readonly action: string;
  readonly approval: string;
  readonly execution: string;
  readonly agent: string;
  readonly salt: string;
  readonly digest: string;
  readonly subject: string;
  readonly join: string;
  readonly like: string;
  /** Milliseconds that are added to every time. */
  readonly shiftMs: number;
  /** The index of the entry that the grant names. */
  readonly grant: number;
  readonly ord: number;
  /** Of one entry. */
  readonly index: number;
  readonly at: string;
  readonly entrySalt: string;
}

type Blank = keyof Blanks | { readonly ms: number };
/** Text with blanks: constants and blanks in turn. */
export type Open = readonly {
  readonly text: string;
  readonly blank: Blank | null;
}[];

export const filled = (open: Open, blanks: Blanks): string => {
  let text = '';
  for (const { text: constant, blank } of open) {
    text += constant;
    if (blank === null) continue;
    text += typeof blank === 'object' ? String(blank.ms + blanks.shiftMs) : String(blanks[blank]);
  }
  return text;
};

export interface EntryTemplate {
  readonly type: string;
  readonly statement: Open;
}

/** Rows of one table as lines of COPY. */
export interface RowsTemplate {
  readonly table: string;
  readonly columns: readonly string[];
  readonly lines: readonly Open[];
}

export const kinds = ['allowed', 'approved', 'denied', 'pending'] as const;
export type Kind = (typeof kinds)[number];

export interface Template {
  readonly kind: Kind;
  readonly team: number;
  readonly operation: string;
  readonly askedAtMs: number;
  readonly canonical: Open;
  readonly rows: readonly RowsTemplate[];
  readonly entries: readonly EntryTemplate[];
  /** Which of the entries the grant names; -1: none. */
  readonly grantEntry: number;
}

export interface Api {
  readonly url: string;
  /** Of the first agent, and of the first two people of each team. */
  readonly agentToken: string;
  readonly personTokens: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

async function call(url: string, token: string, method: string, body: object): Promise<Json> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} was answered ${response.status}: ${text}`);
  // The API's own shape, checked where it is used.
  return text === '' ? {} : (JSON.parse(text) as Json);
}

const textAt = (json: Json, ...path: readonly string[]): string => {
  let at: unknown = json;
  for (const name of path) at = typeof at === 'object' && at !== null ? (at as Json)[name] : undefined;
  if (typeof at !== 'string') throw new Error(`no ${path.join('.')} in ${JSON.stringify(json)}`);
  return at;
};

/** Takes one action of each kind and team through a gate; answers their ids. */
export async function takeThrough(
  api: Api,
): Promise<readonly { kind: Kind; team: number; action: string }[]> {
  const taken: { kind: Kind; team: number; action: string }[] = [];
  for (let team = 0; team < teams; team += 1)
    for (const kind of kinds) {
      const input = {
        cents: kind === 'allowed' ? 50 : 52_04,
        order: `A-2026-${team}-${kind}`,
        customer: 'cus_81920',
        note: 'The parcel came back; the customer asked for the money.',
      };
      const asked = await call(`${api.url}/v1/actions`, api.agentToken, 'POST', {
        operation: operationOf(team),
        input,
        reason: 'return of an order',
      });
      const action = textAt(asked, 'id');
      taken.push({ kind, team, action });
      if (kind === 'approved' || kind === 'denied') {
        const approval = textAt(asked, 'approval', 'id');
        await call(`${api.url}/v1/approvals/${approval}/reviews`, api.personTokens[team] ?? '', 'POST', {
          decision: kind === 'denied' ? 'deny' : 'approve',
          digest: textAt(asked, 'digest'),
          reason: 'as agreed',
        });
      }
      if (kind === 'allowed' || kind === 'approved') {
        const run = await call(`${api.url}/v1/actions/${action}/execution`, api.agentToken, 'POST', {});
        await call(`${api.url}/v1/executions/${textAt(run, 'id')}/outcome`, api.agentToken, 'PUT', {
          status: 'succeeded',
          detail: 'refunded',
        });
      }
    }
  return taken;
}

/** @param person who it was that reviewed, for the record only. */
export const reviewerOf = (team: number): string => personOf(team, 0);

type Row = Readonly<Record<string, string | number | null>>;

const hexOf = (value: Row[string] | undefined): string => String(value ?? '').replace('sha256:', '');

/** Reads the rows of actions that a gate took, and leaves open what differs. */
export async function templatesOf(
  url: string,
  taken: Awaited<ReturnType<typeof takeThrough>>,
): Promise<readonly Template[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const read = async (sql: string, ...values: readonly unknown[]): Promise<readonly Row[]> =>
      (await client.query<Row>(sql, [...values])).rows;
    const templates: Template[] = [];
    for (const { kind, team, action } of taken) {
      const [row] = await read('SELECT * FROM actions WHERE id = $1', action);
      if (row === undefined) throw new Error(`the store lost ${action}`);
      const ord = Number(row['ord']);
      const of = {
        executions: await read('SELECT * FROM executions WHERE action_ord = $1', ord),
        reviews: await read('SELECT * FROM reviews WHERE approval_id = $1', row['approval_id']),
        inbox: await read('SELECT * FROM inbox WHERE ord = $1', ord),
      };
      const canonical = String(row['canonical']);
      const salt = /"salt":"([0-9a-f]{64})"/.exec(canonical)?.[1] ?? '';
      const known: (readonly [string, keyof Blanks])[] = [
        [action, 'action'],
        [agentOf(0), 'agent'],
        [salt, 'salt'],
        [hexOf(row['digest']), 'digest'],
        [hexOf(row['subject']), 'subject'],
        [String(row['join_key']), 'join'],
        [String(row['like_key']), 'like'],
      ];
      if (row['approval_id'] !== null) known.push([String(row['approval_id']), 'approval']);
      const run = of.executions[0]?.['id'];
      if (run !== undefined && run !== null) known.push([String(run), 'execution']);
      const open = (text: string, more: readonly (readonly [string, keyof Blanks])[] = []): Open =>
        opened(text, [...known, ...more]);
      const line = (one: Row): Open => {
        const parts = Object.entries(one).map(([column, value]): Open => {
          if (value === null) return [{ text: '\\N', blank: null }];
          if (column === 'ord' && one['approval_id'] === undefined) return [{ text: '', blank: 'ord' }];
          if (column === 'action_ord' || (column === 'ord' && one === row))
            return [{ text: '', blank: 'ord' }];
          if (column === 'grant_index') return [{ text: '', blank: 'grant' }];
          return escaped(open(String(value)));
        });
        return parts.flatMap((part, at) => (at === 0 ? part : [{ text: '\t', blank: null }, ...part]));
      };
      const entries = await read('SELECT * FROM entries WHERE action_ord = $1 ORDER BY idx', ord);
      const rows = Object.entries({ actions: [row], ...of }).flatMap(([table, found]): RowsTemplate[] => {
        const [first] = found;
        return first === undefined ? [] : [{ table, columns: Object.keys(first), lines: found.map(line) }];
      });
      templates.push({
        kind,
        team,
        operation: String(row['operation']),
        askedAtMs: Number(row['asked_at_ms']),
        canonical: open(canonical),
        rows,
        entries: entries.map((entry) => {
          const statement = String(entry['statement']);
          const [, index = '', entrySalt = ''] =
            /"index":(\d+),"salt":"([0-9a-f]{64})"/.exec(statement) ?? [];
          const at = /"at":"([^"]+)"/.exec(statement)?.[1] ?? '';
          const grant = /"grant":(\d+)/.exec(statement)?.[1];
          return {
            type: String(entry['type']),
            statement: open(statement, [
              [`"index":${index},"salt":"`, 'index'],
              [entrySalt, 'entrySalt'],
              [at, 'at'],
              ...(grant === undefined ? [] : ([[`"grant":${grant}`, 'grant']] as const)),
            ]),
          };
        }),
        grantEntry: entries.findIndex(
          ({ idx }) => row['grant_index'] !== null && Number(idx) === Number(row['grant_index']),
        ),
      });
    }
    return templates;
  } finally {
    await client.end();
  }
}

/** What stands around a blank that is a number, and so no text of its own. */
const around: Readonly<Partial<Record<keyof Blanks, readonly [string, string]>>> = {
  index: ['"index":', ',"salt":"'],
  grant: ['"grant":', ''],
};

function opened(text: string, known: readonly (readonly [string, keyof Blanks])[]): Open {
  const open: { text: string; blank: Open[number]['blank'] }[] = [];
  let constant = '';
  for (let at = 0; at < text.length;) {
    const found = known.find(([value]) => value !== '' && text.startsWith(value, at));
    const time = found === undefined ? /^1[78]\d{11}(?!\w)/.exec(text.slice(at, at + 14))?.[0] : undefined;
    if (found !== undefined) {
      const [before, after] = around[found[1]] ?? ['', ''];
      open.push({ text: constant + before, blank: found[1] });
      constant = after;
      at += found[0].length;
    } else if (time !== undefined && !/\w/.test(text[at - 1] ?? '')) {
      open.push({ text: constant, blank: { ms: Number(time) } });
      constant = '';
      at += time.length;
    } else {
      constant += text[at] ?? '';
      at += 1;
    }
  }
  return [...open, { text: constant, blank: null }];
}

/** As COPY reads it. */
export const escapedText = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '\\r');
const escaped = (open: Open): Open => open.map((one) => ({ ...one, text: escapedText(one.text) }));
