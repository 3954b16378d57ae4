/**
 * What agents can call: what differs, and what becomes of the accepted servers and operations at once.
 *
 * Promises of the tightened ones: nothing is observed that was enforced, no tool enables itself that waited for an operator,
 * no other program, address or profile stands behind a name; what was taken away is inactive and stays declared.
 */
import { operationOf } from '../action.ts';
import type { Mode } from '../case.ts';
import type {
  AcceptedOperation,
  AcceptedServer,
  AcceptedServers,
  AcceptedUpstream,
  Difference,
} from '../config-change.ts';
import type { Profile } from '../profile.ts';
import { signInDifferences, tighterSignIn } from './sign-in.ts';
import { besides, keyed, keysOf, listWords, sameJson, sides, type Pair } from './words.ts';

export interface ServersChange {
  readonly differences: readonly Difference[];
  readonly servers: AcceptedServers;
}

/** Compares what agents can call. */
export function serversChange(accepted: AcceptedServers, found: AcceptedServers): ServersChange {
  const servers = keyed(found.servers, ({ name }) => name);
  const operations = keyed(found.operations, ({ operation }) => operation);
  const known = {
    servers: new Set(accepted.servers.map(({ name }) => name)),
    operations: new Set(accepted.operations.map((one) => one.operation)),
  };
  return {
    differences: [
      ...accepted.servers.flatMap((one) => serverDifferences(one, servers.get(one.name))),
      ...found.servers
        .filter(({ name }) => !known.servers.has(name))
        .map((one) =>
          server(
            one.name,
            [null, one],
            false,
            `adds the server ${one.name}, ${upstreamWords(one.upstream)}${modeWords(one)}`,
          ),
        ),
      ...accepted.operations.flatMap((one) => operationDifferences(one, operations.get(one.operation))),
      ...found.operations
        .filter((one) => !known.operations.has(one.operation))
        .map((one) =>
          operation(
            one.operation,
            [null, one],
            false,
            `adds the operation ${one.operation}${modeWords(one)}`,
          ),
        ),
      ...signInDifferences(accepted, found),
    ],
    servers: {
      ...accepted,
      ...tighterSignIn(accepted, found),
      servers: accepted.servers.map((one) => tighterServer(one, servers.get(one.name))),
      operations: accepted.operations.map((one) => tighterOperation(one, operations.get(one.operation))),
    },
  };
}

/** Whether a server may be served as it was found: its name is accepted, active, and the same upstream stands behind it. */
export function isServed(
  { servers }: AcceptedServers,
  found: Pick<AcceptedServer, 'name' | 'upstream'>,
): boolean {
  const one = servers.find(({ name }) => name === found.name);
  return one !== undefined && one.active !== false && sameJson(one.upstream, found.upstream);
}

const isActive = (one: { readonly active?: false } | undefined): boolean =>
  one !== undefined && one.active !== false;

const stricter = (one: Mode, other: Mode): Mode =>
  one === 'observe' && other === 'observe' ? 'observe' : 'enforce';

/** A tool's own mode, else its server's. */
const modeOf = ({ mode, modes }: Pick<AcceptedServer, 'mode' | 'modes'>, tool: string): Mode =>
  (Object.hasOwn(modes, tool) ? modes[tool] : undefined) ?? mode;

function tighterServer(one: AcceptedServer, now: AcceptedServer | undefined): AcceptedServer {
  if (now === undefined) return { ...one, active: false };
  const mode = stricter(one.mode, now.mode);
  const tools = [...new Set([...Object.keys(one.modes), ...Object.keys(now.modes)])];
  const modes = tools.flatMap((tool): readonly (readonly [string, Mode])[] => {
    const own = stricter(modeOf(one, tool), modeOf(now, tool));
    return Object.hasOwn(one.modes, tool) || own !== mode ? [[tool, own]] : [];
  });
  return {
    ...one,
    pin: now.pin === 'manual' ? 'manual' : one.pin,
    mode,
    modes: Object.fromEntries(modes),
    ...(isActive(now) ? {} : { active: false }),
  };
}

function tighterOperation(one: AcceptedOperation, now: AcceptedOperation | undefined): AcceptedOperation {
  if (now === undefined) return { ...one, active: false };
  return { ...one, mode: stricter(one.mode, now.mode), ...(isActive(now) ? {} : { active: false }) };
}

function serverDifferences(one: AcceptedServer, now: AcceptedServer | undefined): readonly Difference[] {
  const { name } = one;
  if (now === undefined)
    return [
      server(
        name,
        [one, null],
        true,
        `removes the server ${name}${isActive(one) ? '' : ', no longer served already'}`,
      ),
    ];
  const found: Difference[] = [];
  if (isActive(one) !== isActive(now))
    found.push(
      server(
        name,
        [one, now],
        !isActive(now),
        `${isActive(now) ? 'serves' : 'no longer serves'} the server ${name}`,
      ),
    );
  if (!sameJson(one.upstream, now.upstream))
    found.push(
      server(
        name,
        [one.upstream, now.upstream],
        false,
        `changes what is behind the server ${name}: ${upstreamWords(now.upstream)} (was ${upstreamWords(one.upstream)})`,
      ),
    );
  if (one.pin !== now.pin)
    found.push(
      server(
        name,
        [one.pin, now.pin],
        now.pin === 'manual',
        `sets pin of the server ${name} to ${now.pin} (was ${one.pin})`,
      ),
    );
  if (one.mode !== now.mode)
    found.push(
      server(name, [one.mode, now.mode], now.mode === 'enforce', `${modeVerb(now.mode)} the server ${name}`),
    );
  for (const tool of keysOf(one.modes, now.modes)) {
    const [was, is] = [modeOf(one, tool), modeOf(now, tool)];
    const full = operationOf(name, tool);
    if (was !== is) found.push(operation(full, [was, is], is === 'enforce', `${modeVerb(is)} ${full}`));
  }
  if (!sameJson(besides(one, serverFields), besides(now, serverFields)))
    found.push(server(name, [one, now], false, `changes what else is said of the server ${name}`));
  for (const tool of keysOf(one.tools, now.tools))
    found.push(...profileDifferences(operationOf(name, tool), profileOf(one, tool), profileOf(now, tool)));
  return found;
}

const profileOf = ({ tools }: AcceptedServer, tool: string): Profile | null =>
  (Object.hasOwn(tools, tool) ? tools[tool] : undefined) ?? null;

function profileDifferences(name: string, one: Profile | null, now: Profile | null): readonly Difference[] {
  if (sameJson(one, now)) return [];
  const verb = one === null ? 'adds' : now === null ? 'removes' : 'changes';
  return [operation(name, [one, now], false, `${verb} the profile of ${name}`)];
}

function operationDifferences(
  one: AcceptedOperation,
  now: AcceptedOperation | undefined,
): readonly Difference[] {
  const name = one.operation;
  if (now === undefined)
    return [
      operation(
        name,
        [one, null],
        true,
        `removes the operation ${name}${isActive(one) ? '' : ', refused already'}`,
      ),
    ];
  const found: Difference[] = [];
  if (isActive(one) !== isActive(now))
    found.push(
      operation(name, [one, now], !isActive(now), `${isActive(now) ? 'offers' : 'no longer offers'} ${name}`),
    );
  if (!sameJson(one.input, now.input))
    found.push(operation(name, [one.input, now.input], false, `changes the input of ${name}`));
  found.push(...profileDifferences(name, one.profile, now.profile));
  if (one.mode !== now.mode)
    found.push(
      operation(name, [one.mode, now.mode], now.mode === 'enforce', `${modeVerb(now.mode)} ${name}`),
    );
  if (!sameJson(besides(one, operationFields), besides(now, operationFields)))
    found.push(operation(name, [one, now], false, `changes what else is said of ${name}`));
  return found;
}

const serverFields = ['name', 'upstream', 'pin', 'mode', 'modes', 'tools', 'active'];
const operationFields = ['operation', 'input', 'profile', 'mode', 'active'];

const modeVerb = (mode: Mode): string => (mode === 'observe' ? 'only observes' : 'enforces');

/** Observing is never left unsaid. */
function modeWords(one: { readonly mode: Mode; readonly modes?: Readonly<Record<string, Mode>> }): string {
  const tools = Object.entries(one.modes ?? {})
    .filter(([, mode]) => mode === 'observe' && one.mode === 'enforce')
    .map(([tool]) => tool);
  if (one.mode === 'observe') return ', only observed';
  return tools.length === 0 ? '' : `, only observing ${listWords(tools)}`;
}

function upstreamWords(upstream: AcceptedUpstream): string {
  switch (upstream.kind) {
    case 'command':
      return `the command ${upstream.argv.join(' ')}`;
    case 'url':
      return `at ${upstream.url}`;
  }
}

const server = (id: string, pair: Pair, tightens: boolean, says: string): Difference => ({
  what: 'server',
  id,
  ...sides(pair),
  tightens,
  says,
  touches: [],
});

const operation = (id: string, pair: Pair, tightens: boolean, says: string): Difference => ({
  what: 'operation',
  id,
  ...sides(pair),
  tightens,
  says,
  touches: [{ what: 'tool', id }],
});
