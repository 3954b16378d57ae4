/** The export case of design §7: measured rows, columns and data class, filter, destination, what left today. */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { fieldsOf, type Field } from './field.ts';
import { countOf } from './headline.ts';
import { authoritiesIn, bothForms, hostOf } from './notes.ts';
import { answerOf, briefUnder, inputOf, pick, pickText, type Titled } from './read.ts';
import { counted, grouped, line, listed, say, short, type Shown } from './shown.ts';

export interface Column {
  readonly name: Shown;
  /** Null where the preview does not say. */
  readonly dataClass: Shown | null;
}

export interface ExportView {
  readonly kind: 'export';
  /** "5,204 rows", measured by the preview; null where nothing measured it. */
  readonly measured: Shown | null;
  readonly columns: readonly Column[];
  /** "4 personal, 3 business"; null where no class is known. */
  readonly classes: Shown | null;
  /** Filter, destination, format: as the input says them. */
  readonly fields: readonly Field[];
}

const columnsMax = 40;

const filterNames = ['where', 'filter', 'filters', 'query', 'condition', 'sql'];
const destinationNames = [
  'destination',
  'dest',
  'target',
  'to',
  'recipient',
  'recipients',
  'bucket',
  'url',
  'uri',
  'path',
  'file',
];
const formatNames = ['format', 'contenttype'];

export function exportView(asked: Titled): ExportView {
  const input = inputOf(asked);
  const answer = answerOf(asked.preview);
  const columns = columnsOf(answer);
  const filter = pick(input, filterNames);
  const destination = pick(input, destinationNames);
  const format = pick(input, formatNames);
  const fields = fieldsOf([
    filter === undefined
      ? ['filter', 'none: every row', false]
      : ['filter', filterWords(filter.key, filter.value), true],
    destination === undefined
      ? undefined
      : ['destination', briefUnder(destination.key, destination.value, 300), true],
    destination === undefined ? undefined : ['leads to', hostsOf(destination.value), true],
    format === undefined ? undefined : ['format', briefUnder(format.key, format.value), false],
  ]);
  return {
    kind: 'export',
    measured: measuredRows(asked, answer),
    columns,
    classes: classesOf(columns),
    fields,
  };
}

function measuredRows(asked: Titled, answer: JsonValue | undefined): Shown | null {
  const count = countOf(asked);
  if (count?.value !== undefined) return say`${grouped(count.value)} ${count.unit}`;
  const rows = pick(answer, ['rows', 'count', 'total', 'rowcount'])?.value;
  return typeof rows === 'number' ? line(counted(rows, 'row')) : null;
}

/** `{column: "country", equals: "DE"}` and `{country: "DE"}` as words; anything else as JSON. */
function filterWords(key: string, value: JsonValue): Shown {
  if (isJsonObject(value)) {
    const column = pickText(value, ['column', 'field', 'name']);
    const equals = pick(value, ['equals', 'eq', 'value', 'is']);
    if (column !== undefined && equals !== undefined && Object.keys(value).length === 2)
      return say`${short(column, 60)} = ${briefUnder(column, equals.value)}`;
  }
  return briefUnder(key, value, 300);
}

/** The hosts of a destination's URLs, in both forms; null where it names none. */
function hostsOf(value: JsonValue): Shown | null {
  const texts = isJsonArray(value) ? value : [value];
  const hosts = texts.flatMap((text) =>
    typeof text === 'string' ? [...authoritiesIn(text).map(hostOf), ...mailHost(text)] : [],
  );
  return hosts.length === 0 ? null : line(listed([...new Set(hosts.map(bothForms))]));
}

/** The host of a bare e-mail address. */
function mailHost(text: string): readonly string[] {
  const at = text.lastIndexOf('@');
  return at > 0 && !text.includes('/') && !/\s/.test(text.trim()) ? [text.slice(at + 1)] : [];
}

function columnsOf(answer: JsonValue | undefined): readonly Column[] {
  const list = pick(answer, ['columns', 'fields'])?.value;
  if (!isJsonArray(list)) return [];
  return list.slice(0, columnsMax).flatMap((one): readonly Column[] => {
    if (typeof one === 'string') return [{ name: short(one, 60), dataClass: null }];
    return isJsonObject(one) ? columnOf(one) : [];
  });
}

function columnOf(one: JsonObject): readonly Column[] {
  const name = pickText(one, ['name', 'column', 'field']);
  const dataClass = pickText(one, ['dataclass', 'class', 'classification', 'sensitivity']);
  return name === undefined
    ? []
    : [{ name: short(name, 60), dataClass: dataClass === undefined ? null : short(dataClass, 30) }];
}

function classesOf(columns: readonly Column[]): Shown | null {
  const counts = new Map<Shown, number>();
  for (const { dataClass } of columns)
    if (dataClass !== null) counts.set(dataClass, (counts.get(dataClass) ?? 0) + 1);
  if (counts.size === 0) return null;
  const words = [...counts].filter(([name]) => name !== 'none').map(([name, count]) => `${count} ${name}`);
  return words.length === 0
    ? line('no data class of concern')
    : say`${listed(words)} ${columns.length === 1 ? 'column' : 'columns'}`;
}
