/** What the gates of a life speak to: channels, a place that the log is shipped to, and an MCP upstream. Each fails in both ways. */
import type { Parts } from '../../../src/app/parts.ts';
import type { Place } from '../../../src/app/shipping.ts';
import { formatEntries } from '../../../src/app/ship-format.ts';
import { asActionId, asExecutionId, asGroupId, type Sha256Hex } from '../../../src/core/ids.ts';
import { isJsonObject, type JsonObject } from '../../../src/core/json.ts';
import { refuse } from '../../../src/core/refusal.ts';
import { err, ok, type Result } from '../../../src/core/result.ts';
import { definitionHash } from '../../../src/core/tool.ts';
import { metaKeys } from '../../../src/enforce/mcp/classify.ts';
import type { Connection } from '../../../src/enforce/mcp/connection.ts';
import { resultText, type Answer } from '../../../src/enforce/mcp/message.ts';
import { pin, type SeenTool } from '../../../src/enforce/mcp/pins.ts';
import type { Failure } from '../../../src/enforce/mcp/pipe.ts';
import type { ToolLink } from '../../../src/enforce/mcp/tool-link.ts';
import type { Channel, ChannelFailure, Delivered, Routing } from '../../../src/ports/channel.ts';
import type { ShipFailure } from '../../../src/ports/shipper.ts';
import type { Life } from './life.ts';
import { toolsNow } from './organisation.ts';
import { textOf } from './told.ts';
import type { Owner } from './time.ts';

/** Told of everything; and two that reach groups, the second where the first fails. */
export const channelNames = ['hook', 'slack', 'email'] as const;

export const routing: Routing = {
  groups: new Map([
    [
      asGroupId('owners'),
      [
        { channel: 'slack', to: '#owners' },
        { channel: 'email', to: 'owners@example.com' },
      ],
    ],
    [asGroupId('leads'), [{ channel: 'email', to: 'leads@example.com' }]],
  ]),
  otherwise: [{ channel: 'slack', to: '#everybody' }],
};

export const channelsOf = (life: Life, owner: Owner): readonly Channel[] =>
  channelNames.map((name) => ({
    name,
    deliver: (told) =>
      life.stage.effect<Delivered>(
        owner,
        `deliver ${told.kind} on ${name}`,
        () => {
          const key = `${told.kind} ${told.case.approval?.id ?? ''}`;
          life.arrived.set(name, (life.arrived.get(name) ?? new Set()).add(key));
          return ok([{ to: name, ref: null }]);
        },
        (fate) => err(failureOf(life, fate)),
      ),
  }));

function failureOf({ random }: Life, fate: string): ChannelFailure {
  return {
    detail: `simulated: ${fate}`,
    retryable: random.chance(0.9),
    ...(fate === 'not done' && random.chance(0.5) ? { unsent: true } : {}),
    ...(random.chance(0.3) ? { retryAfterMs: random.below(120_000) } : {}),
    ...(random.chance(0.2) ? { whole: true } : {}),
  };
}

export const placesOf = (life: Life, owner: Owner, parts: Pick<Parts, 'store'>): readonly Place[] => [
  {
    shipper: {
      name: 'siem',
      send: (batch) =>
        life.stage.effect<Result<null, ShipFailure>>(
          owner,
          `ship ${batch.length}`,
          () => {
            const place = life.shipped.get('siem') ?? [];
            life.shipped.set('siem', place);
            place.push(...batch.map(({ index, id }) => ({ index, id })));
            return ok(null);
          },
          (fate) =>
            err({
              detail: `simulated: ${fate}`,
              ...(fate === 'done and not told' && life.random.chance(0.5) ? { arrived: batch.length } : {}),
            }),
        ),
      close: () => Promise.resolve(),
    },
    format: formatEntries(parts, 'entry', { origin: () => 'gate.test', ocsf: '1.8.0' }),
  },
];

/** What the upstream does when it is called: the effect itself, which nobody may bring about twice. */
async function called(life: Life, params: JsonObject | undefined): Promise<void> {
  const meta = params?.['_meta'];
  const ids = isJsonObject(meta) ? meta : {};
  const action = asActionId(textOf(ids[metaKeys.action]));
  const execution = asExecutionId(textOf(ids[metaKeys.execution]));
  const held = await life.watcher.caseBy({ action });
  if (held?.execution?.id !== execution)
    life.wrongs.push(`${action} took effect before its start was stored`);
  life.dones.push({ action, execution, how: 'mediated' });
}

/** The upstream side of one agent's connection. */
export function linkOf(life: Life, owner: Owner, parts: Parts): ToolLink {
  let seen: ReadonlyMap<string, Sha256Hex> | null = null;
  const settings = () => parts.world.inForce().servers.find((one) => one.name === 'files');
  const list = async (): Promise<ReturnType<ToolLink['tools']>> => {
    const server = settings();
    if (server === undefined) return err(refuse('upstream_unavailable', 'no such server'));
    const definitions = await life.stage.effect(
      owner,
      'tools/list',
      () => toolsNow(life.changedMind),
      () => null,
    );
    if (definitions === null) return err(refuse('upstream_unavailable', 'simulated: no list of tools'));
    const tools = definitions.map((definition): SeenTool => ({
      name: textOf(definition['name']),
      hash: definitionHash(definition),
      definition,
    }));
    const pinned = await pin(parts, server, tools, () => undefined);
    if (!pinned.ok) return pinned;
    seen = new Map(tools.map(({ name, hash }) => [name, hash]));
    return ok(seen);
  };
  const request: Connection['request'] = (id, _method, params) =>
    life.stage.effect<Result<Answer, Failure>>(
      owner,
      'tools/call',
      async () => {
        await called(life, params);
        const isError = life.random.chance(0.1);
        const result: JsonObject = { content: [{ type: 'text', text: 'done' }], ...(isError && { isError }) };
        const answer: Answer = { kind: 'result', id, text: resultText(id, result), result };
        return ok(answer);
      },
      (fate) =>
        err(
          fate === 'not done'
            ? {
                kind: life.random.pick(['unsent', 'session', 'lost'] as const),
                detail: 'simulated: not done',
              }
            : { kind: 'lost', detail: 'simulated: done, and no answer' },
        ),
    );
  return {
    tools: async (afresh) => (!afresh && seen !== null ? ok(seen) : list()),
    live: () => {
      const server = settings();
      const connection = server === undefined ? undefined : connectionTo(server.upstream, request);
      return Promise.resolve(
        connection === undefined ? err(refuse('upstream_unavailable', 'no such server')) : ok(connection),
      );
    },
  };
}

const connectionTo = (upstream: Connection['upstream'], request: Connection['request']): Connection => ({
  upstream,
  over: null,
  request,
  ask: () => Promise.resolve(err({ kind: 'unsent', detail: 'nothing is asked' })),
  tell: () => Promise.resolve(),
  forget: () => undefined,
  agreed: () => undefined,
  close: () => Promise.resolve(),
});
