/**
 * What PostgreSQL's pgaudit recorded: lines `AUDIT: SESSION,…` of the server's log, as text with a `log_line_prefix` or as
 * csvlog. The gate's id is in `application_name`, or in a comment of the statement. A line that goes on (a statement with line
 * breaks) begins with a tab, so that no statement can write a line of its own.
 */
import { idIn, type TargetRow } from '../../core/reconcile.ts';
import { csvRecord, csvRecords, linesOf, recordCharsMax, textOf } from './records.ts';
import { timeIn } from './time.ts';

/** What `log_line_prefix` is taken to be where nothing else is said. */
export const prefixDefault = '%m [%p] %q%u@%d %a ';

const mark = 'AUDIT: ';

/** Rows of one log. @param prefix the server's `log_line_prefix`; a csvlog needs none. */
export async function* pgauditRows(
  bytes: AsyncIterable<Uint8Array>,
  file: number,
  prefix: string = prefixDefault,
): AsyncGenerator<TargetRow> {
  const text = textOf(bytes)[Symbol.asyncIterator]();
  let begin = '';
  for (let next = await text.next(); next.done !== true; next = await text.next()) {
    begin += next.value;
    if (begin.includes('\n') || begin.length > recordCharsMax) break;
  }
  const all = (async function* () {
    yield begin;
    yield* { [Symbol.asyncIterator]: () => text };
  })();
  yield* isCsvLog(begin) ? csvLogRows(all, file) : textRows(all, file, prefixPattern(prefix));
}

/** csvlog begins with the time, and then a comma. */
const isCsvLog = (begin: string): boolean =>
  /^\uFEFF?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [^,\s]{1,40},/.test(begin);

/** Places of columns (PostgreSQL, "Using CSV-Format Log Output"); later versions add only at the end. */
const column = { at: 0, user: 1, database: 2, message: 13, application: 22 } as const;

async function* csvLogRows(text: AsyncIterable<string>, file: number): AsyncGenerator<TargetRow> {
  for await (const { fields, line, broken } of csvRecords(text)) {
    const message = fields[column.message] ?? '';
    if (!message.startsWith(mark)) continue;
    yield rowOf({
      file,
      place: line,
      at: broken ? '' : (fields[column.at] ?? ''),
      application: fields[column.application] ?? '',
      who: whoOf(fields[column.user], fields[column.database]),
      audit: message.slice(mark.length),
    });
  }
}

async function* textRows(
  text: AsyncIterable<string>,
  file: number,
  prefix: RegExp,
): AsyncGenerator<TargetRow> {
  let open: { readonly place: number; line: string } | undefined;
  let place = 0;
  for await (const line of linesOf(text)) {
    place += 1;
    if (line.startsWith('\t')) {
      if (open !== undefined && open.line.length < recordCharsMax) open.line += `\n${line.slice(1)}`;
      continue;
    }
    if (open !== undefined) yield textRow(open, file, prefix);
    open = line.includes(mark) ? { place, line } : undefined;
  }
  if (open !== undefined) yield textRow(open, file, prefix);
}

function textRow(
  { place, line }: { readonly place: number; readonly line: string },
  file: number,
  prefix: RegExp,
): TargetRow {
  const match = prefix.exec(line);
  if (match === null)
    return { file, place, atMs: null, what: line.slice(line.indexOf(mark)), who: null, named: null };
  const { t = '', a = '', u, d } = match.groups ?? {};
  return rowOf({ file, place, at: t, application: a, who: whoOf(u, d), audit: line.slice(match[0].length) });
}

/** The start of a line up to the audit record, by the escapes of `log_line_prefix` (PostgreSQL, "log_line_prefix"). */
function prefixPattern(prefix: string): RegExp {
  const named = new Set<string>();
  const pattern = prefix.replace(
    /%(-?\d*)([A-Za-z%])|[^%]+/g,
    (all: string, padding: string | undefined, escape: string | undefined) => {
      if (escape === undefined) return all.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      if (escape === '%') return '%';
      if (escape === 'q') return '';
      const [name, of] = formOf(escape);
      const padded = padding === '' ? '' : ' *';
      if (name === null || named.has(name)) return `${padded}(?:${of})${padded}`;
      named.add(name);
      return `${padded}(?<${name}>${of})${padded}`;
    },
  );
  return new RegExp(`^${pattern}LOG: {1,2}${mark}`);
}

function formOf(escape: string): readonly [name: string | null, pattern: string] {
  switch (escape) {
    case 'm':
    case 't':
      return ['t', String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [^ ]+`];
    case 'n':
      return ['t', String.raw`\d+(?:\.\d+)?`];
    // Anybody's text: as little as fits, so that what follows is found where it stands first.
    case 'a':
      return ['a', '.{0,64}?'];
    case 'u':
      return ['u', '.{0,64}?'];
    case 'd':
      return ['d', '.{0,64}?'];
    case 'p':
    case 'l':
    case 'x':
    case 'P':
      return [null, String.raw`\d*`];
    default:
      return [null, '.{0,256}?'];
  }
}

const whoOf = (user: string | undefined, database: string | undefined): string | null =>
  user === undefined || user === ''
    ? null
    : database === undefined || database === ''
      ? user
      : `${user}@${database}`;

/** AUDIT_TYPE, STATEMENT_ID, SUBSTATEMENT_ID, CLASS, COMMAND, OBJECT_TYPE, OBJECT_NAME, STATEMENT, PARAMETER (pgaudit, "Format"). */
function rowOf(of: {
  readonly file: number;
  readonly place: number;
  readonly at: string;
  readonly application: string;
  readonly who: string | null;
  readonly audit: string;
}): TargetRow {
  const { file, place, at, application, who, audit } = of;
  const record = csvRecord(audit);
  const [kind, , , group = '', command = '', , object = '', statement = ''] = record?.fields ?? [];
  const read = record?.broken === false && (kind === 'SESSION' || kind === 'OBJECT');
  const what = [group, command, object].filter((part) => part !== '').join(' ');
  return {
    file,
    place,
    atMs: read ? timeIn(at) : null,
    what: read ? `${what}: ${statement}` : audit,
    who,
    named:
      idIn(application) === null
        ? (commentWithId(statement) ?? (application === '' ? null : application))
        : application,
  };
}

/** A comment of the statement that holds an id: for connections that many calls share. */
function commentWithId(statement: string): string | null {
  for (const [comment] of statement.matchAll(/\/\*[^*]{0,500}\*\/|--[^\n]{0,500}/g))
    if (idIn(comment) !== null) return comment;
  return null;
}
