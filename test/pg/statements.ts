/** Which statements are sent to PostgreSQL, by whatever runs in this process; and how the server would go about each. */
import pg from 'pg';
import type { SqlValue } from '../../src/store/driver.ts';

/** One text, with the values that it was sent with first. */
export interface Sent {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** Notes every statement of a store (they are named) that reads or writes rows from now on; the answer ends it. */
export function spyOnStatements(): { readonly sent: ReadonlyMap<string, Sent>; stop(): void } {
  const sent = new Map<string, Sent>();
  // oxlint-disable-next-line typescript/unbound-method -- called with the client that it was called on
  const { query } = pg.Client.prototype;
  // `query` has a form for each way to call it; what is handed on is what came in.
  const spied = function (this: pg.Client, ...given: readonly unknown[]): unknown {
    const [first] = given;
    const sql = textIn(first);
    if (sql !== null && /^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b/.test(sql) && !sent.has(sql))
      sent.set(sql, { sql, values: valuesIn(first) });
    return Reflect.apply(query, this, given);
  };
  pg.Client.prototype.query = spied as typeof query;
  return { sent, stop: () => void (pg.Client.prototype.query = query) };
}

const textIn = (asked: unknown): string | null =>
  typeof asked === 'object' &&
  asked !== null &&
  'name' in asked &&
  'text' in asked &&
  typeof asked.text === 'string'
    ? asked.text
    : null;

const valuesIn = (asked: unknown): readonly unknown[] =>
  typeof asked === 'object' && asked !== null && 'values' in asked && Array.isArray(asked.values)
    ? asked.values
    : [];

/** A step of a plan, as EXPLAIN (FORMAT JSON) writes it. */
export interface Step {
  readonly 'Node Type': string;
  readonly 'Plan Rows': number;
  readonly 'Total Cost': number;
  readonly 'Relation Name'?: string;
  /** Of each of so many loops, and what was looked at besides. Only where it was run. */
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly Step[];
}

export function* stepsOf(plan: Step): Generator<Step> {
  yield plan;
  for (const one of plan.Plans ?? []) yield* stepsOf(one);
}

let prepared = 0;

/**
 * How the server goes about a prepared statement. `generic`: whatever the values are; `custom`: with these; `run`: so, and what came
 * of it.
 */
export async function planOf(
  client: pg.Client,
  { sql, values }: Sent,
  how: 'generic' | 'custom' | 'run',
): Promise<Step> {
  prepared += 1;
  const name = `plan_${prepared}`;
  await client.query(
    `SET plan_cache_mode = ${how === 'generic' ? 'force_generic_plan' : 'force_custom_plan'}`,
  );
  await client.query(`PREPARE ${name} AS ${sql}`);
  try {
    // The store's parameters are texts, numbers and nulls.
    const given = (values as readonly SqlValue[]).map((value) =>
      value === null ? 'NULL' : pg.escapeLiteral(String(value)),
    );
    const { rows } = await client.query<{ 'QUERY PLAN': readonly { readonly Plan: Step }[] }>(
      `EXPLAIN (FORMAT JSON${how === 'run' ? ', ANALYZE, TIMING OFF' : ''}) EXECUTE ${name}${given.length === 0 ? '' : `(${given.join(', ')})`}`,
    );
    const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
    if (plan === undefined) throw new Error(`no plan of ${sql}`);
    return plan;
  } finally {
    await client.query(`DEALLOCATE ${name}`);
  }
}

/** Rows from which on a table is not read whole, nor so many sorted. */
const manyRows = 15_000;
/** The planner's own unit: about a page read in order. */
const costMax = 10_000;
/** What it adds to a plan that is made for these very values, for each table and once more. */
const planningCost = 2.5;

/** Statements that may, and why. */
const allowed: readonly (readonly [RegExp, string])[] = [
  [/^DELETE FROM \w+ WHERE \([\w, ]+\) IN \(SELECT/, 'what a sweep deletes is bounded by a day of it'],
  [/FROM clicks WHERE body LIKE/, 'an erasure looks through the presses of seven days'],
];

/** What is wrong with how the server would go about a statement as it gets it, which is prepared; empty: nothing. */
export async function wrongWith(
  client: pg.Client,
  one: Sent,
  rowsOf: ReadonlyMap<string, number>,
): Promise<readonly string[]> {
  const words = one.sql.trim().replaceAll(/\s+/g, ' ');
  if (allowed.some(([form]) => form.test(words))) return [];
  const generic = await planOf(client, one, 'generic');
  const custom = await planOf(client, one, 'custom');
  const planning =
    planningCost * ([...stepsOf(custom)].filter((step) => step['Relation Name'] !== undefined).length + 1);
  // As the server decides (plancache.c): the same plan for all values where it is not dearer than one for each.
  const plan = generic['Total Cost'] < custom['Total Cost'] + planning ? generic : custom;
  const wrong: string[] = [];
  for (const step of stepsOf(plan)) {
    const table = step['Relation Name'] ?? '';
    if (step['Node Type'] === 'Seq Scan' && (rowsOf.get(table) ?? 0) >= manyRows)
      wrong.push(`reads ${table} whole`);
    const sorted = step.Plans?.[0]?.['Plan Rows'] ?? 0;
    if (step['Node Type'] === 'Sort' && sorted >= manyRows) wrong.push(`sorts ${sorted} rows`);
  }
  if (plan['Total Cost'] > costMax) wrong.push(`costs ${Math.round(plan['Total Cost'])}`);
  // What the planner thinks is one thing: it knows nothing of how columns go together.
  if (one.sql.startsWith('SELECT')) wrong.push(...looksAtMany(await planOf(client, one, 'run')));
  return wrong;
}

function looksAtMany(plan: Step): readonly string[] {
  return [...stepsOf(plan)].flatMap((step) => {
    const table = step['Relation Name'];
    const each =
      (step['Actual Rows'] ?? 0) +
      (step['Rows Removed by Filter'] ?? 0) +
      (step['Rows Removed by Index Recheck'] ?? 0);
    const all = each * (step['Actual Loops'] ?? 0);
    return table !== undefined && all >= manyRows ? [`looks at ${all} rows of ${table}`] : [];
  });
}
