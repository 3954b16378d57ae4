/** Bearer tokens: kept with their end, found by hash and by id, ended and revoked in one transaction with their entry. */
import assert from 'node:assert/strict';
import { tokenIdOf } from '../../src/core/tokens.ts';
import { storeTest, value, noOf, type MakeBench } from './bench.ts';
import * as world from './world.ts';

export function tokensContract(name: string, make: MakeBench): void {
  storeTest(`${name}: tokens end, are rotated and revoked`, make, async ({ store, later, clock }) => {
    const principal = { kind: 'agent', id: world.agent } as const;
    const [first, second, persons] = [world.freshKey(), world.freshKey(), world.freshKey()];
    value(await store.change({ kind: 'token', principal, hash: first }));
    later(1000);
    value(
      await store.change({ kind: 'token', principal: { kind: 'person', id: world.rosa }, hash: persons }),
    );
    later(1000);
    value(await store.change({ kind: 'token', principal, hash: second, rotateMs: 60_000 }));
    const rowOf = async (hash: string) => (await store.bearerOf(hash))?.token;
    const [old, fresh] = [await rowOf(first), await rowOf(second)];
    assert.ok(old !== undefined && fresh !== undefined);
    assert.deepEqual([old.id, old.hash, old.principal], [tokenIdOf(first), first, principal]);
    assert.equal(old.expiresAtMs, fresh.atMs + 60_000);
    assert.ok((fresh.expiresAtMs ?? 0) > clock.nowMs() + 60_000);
    const other = (await rowOf(persons))?.expiresAtMs ?? 0;
    assert.ok(other > clock.nowMs() + 60_000, 'a person’s own goes on');
    assert.deepEqual(
      (await store.tokens()).map((one) => one.hash),
      [second, persons, first],
    );

    const size = (await store.head()).size;
    value(await store.change({ kind: 'revokeToken', token: fresh.id }));
    value(await store.change({ kind: 'revokeToken', token: fresh.id }));
    assert.equal((await rowOf(second))?.revokedAtMs !== null, true);
    assert.equal((await store.head()).size, size + 1, 'revoked once, told once');
    assert.equal(noOf(await store.change({ kind: 'revokeToken', token: 'tok_none' })), 'not_found');
  });

  storeTest(`${name}: a claim with a token that was revoked takes no grant`, make, async ({ store }) => {
    const hash = world.freshKey();
    value(await store.change({ kind: 'token', principal: { kind: 'agent', id: world.agent }, hash }));
    const ask = world.ask(world.allow(await store.versions()));
    value(await store.change(ask));
    const via = { kind: 'token', id: tokenIdOf(hash) } as const;
    value(await store.change({ kind: 'revokeToken', token: via.id }));
    const claim = world.claim(ask.asked.id, ask.asked.verdict);
    assert.equal(noOf(await store.change({ ...claim, via })), 'unauthenticated');
    value(await store.change(claim));
  });
}
