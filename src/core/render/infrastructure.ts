/**
 * The infrastructure case of design §7: destroys and replacements first, by name, stateful ones marked, with the
 * environment. Read from the preview, whatever lists of named things it answers with.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { answerOf, objectsIn, pick, pickText, type Titled } from './read.ts';
import { counted, grouped, line, listed, say, short, type Shown } from './shown.ts';

export type Fate = 'destroy' | 'replace' | 'update' | 'create';

export interface Thing {
  readonly fate: Fate;
  /** "cluster". */
  readonly kind: Shown;
  readonly name: Shown;
  /** Keeps data that goes with it. */
  readonly stateful: boolean;
  /** "prod, 12 nodes". */
  readonly detail: Shown | null;
}

export interface InfrastructureView {
  readonly kind: 'infrastructure';
  /** Destroys, replacements, then the rest; stateful ones first within each. */
  readonly things: readonly Thing[];
  /** How many more there are than are listed. */
  readonly more: number;
  /** "Destroys 2 clusters and 2 volumes; 2 of these keep data". */
  readonly summary: Shown;
  /** The environments that the things name; a profile's own is in the headline. */
  readonly environments: readonly Shown[];
}

const thingsMax = 60;
const fates: readonly Fate[] = ['destroy', 'replace', 'update', 'create'];
const nameNames = ['name', 'address', 'id', 'arn', 'service', 'resource'];
const environmentNames = ['environment', 'env', 'stage'];

/** Null where there is no preview, or where it lists nothing. */
export function infrastructureView(asked: Titled): InfrastructureView | null {
  const answer = answerOf(asked.preview);
  if (!isJsonObject(answer)) return null;
  const lists = Object.entries(answer).filter((entry): entry is [string, readonly JsonValue[]] =>
    isJsonArray(entry[1]),
  );
  const usual: Fate = asked.profile?.effect === 'delete' ? 'destroy' : 'update';
  const things = lists.flatMap(([key, list]) => objectsIn(list).flatMap((one) => thingOf(one, key, usual)));
  if (things.length === 0) return null;
  const sorted = things.toSorted(
    (a, b) => fates.indexOf(a.fate) - fates.indexOf(b.fate) || Number(b.stateful) - Number(a.stateful),
  );
  const environments = [
    ...new Set(
      lists.flatMap(([, list]) => objectsIn(list).flatMap((one) => pickText(one, environmentNames) ?? [])),
    ),
  ];
  return {
    kind: 'infrastructure',
    things: sorted.slice(0, thingsMax),
    more: Math.max(0, sorted.length - thingsMax),
    summary: summaryOf(sorted),
    environments: environments.slice(0, 6).map((one) => short(one, 40)),
  };
}

function thingOf(one: JsonObject, key: string, usual: Fate): readonly Thing[] {
  const name = pickText(one, nameNames);
  if (name === undefined) return [];
  const fate = fateOf(one) ?? usual;
  if (fate === 'none') return [];
  const stateful =
    one['stateful'] === true ||
    pickText(one, ['stateful', 'persistent']) === 'true' ||
    /stateful|volume|disk|database|bucket/i.test(key);
  const on = pickText(one, ['cluster', 'on', 'host', 'parent']);
  return [
    {
      fate,
      kind: short(singular(key), 40),
      name: on === undefined ? short(name, 120) : say`${short(name, 80)} on ${short(on, 80)}`,
      stateful,
      detail: detailOf(one),
    },
  ];
}

/** "statefulVolumes" is "volume"; "clusters" is "cluster". */
function singular(key: string): string {
  const word = key
    .replace(/^stateful[_-]?/i, '')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/_/g, ' ')
    .toLowerCase();
  return word.endsWith('ies') ? `${word.slice(0, -3)}y` : word.replace(/s$/, '');
}

/** Terraform's words (`change.actions` of `terraform show -json`) and their kin; undefined where nothing says it. */
function fateOf(one: JsonObject): Fate | 'none' | undefined {
  const said = pick(one, ['actions', 'action', 'change', 'operation'])?.value;
  const nested = isJsonObject(said) ? pick(said, ['actions', 'action'])?.value : said;
  const words = (isJsonArray(nested) ? nested : [nested])
    .filter((word) => typeof word === 'string')
    .map((word) => word.toLowerCase());
  if (words.length === 0) return undefined;
  const has = (...names: readonly string[]): boolean => words.some((word) => names.includes(word));
  const destroys = has('delete', 'destroy', 'remove');
  if (has('replace', 'recreate') || (destroys && has('create'))) return 'replace';
  if (destroys) return 'destroy';
  if (has('update', 'modify', 'change')) return 'update';
  if (has('create', 'add')) return 'create';
  return has('no-op', 'noop', 'read', 'none') ? 'none' : undefined;
}

function detailOf(one: JsonObject): Shown | null {
  const environment = pickText(one, environmentNames);
  const nodes = pick(one, ['nodes', 'replicas', 'instances'])?.value;
  const gb = pick(one, ['gb', 'sizegb', 'volumegb'])?.value;
  const services = objectsIn(pick(one, ['services'])?.value).flatMap(
    (each) => pickText(each, nameNames) ?? [],
  );
  const words = [
    ...(environment === undefined ? [] : [environment]),
    ...(typeof nodes === 'number' ? [counted(nodes, 'node')] : []),
    ...(typeof gb === 'number' ? [`${grouped(gb)} GB`] : []),
    ...(services.length === 0
      ? []
      : [`runs ${listed(services.slice(0, 8))}${services.length > 8 ? ' …' : ''}`]),
  ];
  return words.length === 0 ? null : short(words.join(', '), 200);
}

const verbs: Readonly<Record<Fate, string>> = {
  destroy: 'Destroys',
  replace: 'Replaces',
  update: 'Changes',
  create: 'Creates',
};

function summaryOf(things: readonly Thing[]): Shown {
  const parts = fates.flatMap((fate) => {
    const kinds = new Map<Shown, number>();
    for (const one of things) if (one.fate === fate) kinds.set(one.kind, (kinds.get(one.kind) ?? 0) + 1);
    if (kinds.size === 0) return [];
    return [`${verbs[fate]} ${listed([...kinds].map(([kind, count]) => counted(count, kind)))}`];
  });
  const lost = things.filter(
    (one) => one.stateful && (one.fate === 'destroy' || one.fate === 'replace'),
  ).length;
  return line(
    `${parts.join('; ')}${lost === 0 ? '' : `. ${lost === 1 ? 'One of these keeps' : `${grouped(lost)} of these keep`} data that is lost`}.`,
  );
}
