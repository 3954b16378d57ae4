/** What is observed, by name, and the stricter of two wishes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCatalog } from '../../src/app/catalog.ts';
import { nothingObserved, observedOf, observedText, stricter } from '../../src/app/observed.ts';
import type { Mode } from '../../src/core/case.ts';
import type { OperationSettings, ServerSettings } from '../../src/ports/settings.ts';
import type { PinnedTool } from '../../src/core/tool.ts';
import { hash } from '../support/world.ts';

const server = (name: string, mode: Mode, modes: Readonly<Record<string, Mode>> = {}): ServerSettings => ({
  name,
  upstream: { kind: 'url', url: `http://${name}.test/mcp`, headers: {} },
  pin: 'first-sight',
  mode,
  modes,
  tools: {},
});
const operation = (name: string, mode: Mode): OperationSettings => ({
  operation: name,
  input: {},
  profile: null,
  mode,
});

test('servers are named whole, their exceptions apart, tools and operations one by one', () => {
  const all = observedOf({
    servers: [
      server('crm', 'observe', { drop: 'enforce', read: 'observe' }),
      server('files', 'enforce', { write: 'observe', _odd: 'observe' }),
    ],
    operations: [operation('bill___refund', 'observe'), operation('bill___list', 'enforce')],
  });
  assert.deepEqual(all, {
    names: ['bill___refund', 'crm', 'files____odd', 'files___write'],
    except: ['crm___drop'],
  });
  assert.equal(observedText(all), 'bill___refund, crm, files____odd, files___write (but not crm___drop)');
  assert.equal(observedText(nothingObserved), null);
});

const tools = ['a', 'b', '_c'];
const modes = fc.constantFrom<Mode>('enforce', 'observe');
const wishes = fc.record({
  servers: fc
    .record({
      one: modes,
      two: fc.option(modes),
      modes: fc.dictionary(fc.constantFrom(...tools), modes),
      others: fc.dictionary(fc.constantFrom(...tools), modes),
    })
    .map((said) => [
      server('one', said.one, said.modes),
      ...(said.two === null ? [] : [server('two', said.two, said.others)]),
    ]),
  operations: modes.map((mode) => [operation('bill___refund', mode)]),
});

/** What holds for each operation that there could be. */
function modesOf(wish: {
  readonly servers: readonly ServerSettings[];
  readonly operations: readonly OperationSettings[];
}) {
  const pinned = wish.servers.flatMap(({ name }) =>
    tools.map((tool): PinnedTool => ({
      server: name,
      tool,
      status: 'enabled',
      definition: { name: tool, inputSchema: {} },
      hash,
      seen: null,
      seenHash: null,
      atMs: 0,
    })),
  );
  const { entries } = createCatalog(new Uint8Array(32), { ...wish, unserved: [], withdrawn: [] }, pinned);
  return new Map(entries.map((entry) => [entry.operation, entry.mode]));
}

test('the stricter of what is wanted and what is observed already lets pass only what both do', () => {
  fc.assert(
    fc.property(wishes, wishes, (wanted, before) => {
      const both = modesOf(stricter(wanted, observedOf(before)));
      const [after, was] = [modesOf(wanted), modesOf(before)];
      for (const [name, mode] of both)
        assert.equal(mode === 'observe', after.get(name) === 'observe' && was.get(name) === 'observe', name);
      assert.deepEqual(
        modesOf(stricter(wanted, observedOf(wanted))),
        after,
        'what is recorded changes nothing',
      );
      for (const mode of modesOf(stricter(wanted, nothingObserved)).values()) assert.equal(mode, 'enforce');
    }),
  );
});
