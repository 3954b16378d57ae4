/** The web inbox, held to what every channel keeps. */
import assert from 'node:assert/strict';
import { asPersonId } from '../../src/core/ids.ts';
import { newLink } from '../../src/identity/sessions.ts';
import { systemRandom } from '../../src/main.ts';
import type { TestGate } from '../support/gate.ts';
import { gateContract } from './contract-gate.ts';

/** Signs somebody in with a link of the gate that runs now. */
async function cookieOf(gate: TestGate, person: string): Promise<string> {
  const running = gate.gate();
  const { token, hash } = newLink(systemRandom);
  const link = {
    kind: 'link',
    person: asPersonId(person),
    hash,
    expiresAtMs: running.parts.clock.nowMs() + 60_000,
  } as const;
  assert.ok((await running.parts.store.change(link)).ok);
  const signedIn = await fetch(`${running.url}/sign-in`, {
    method: 'POST',
    headers: { origin: running.origin, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token }).toString(),
    redirect: 'manual',
  });
  return (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

gateContract('web', () =>
  Promise.resolve({
    name: 'web',
    async copies(gate, approval) {
      const response = await fetch(`${gate.gate().url}/approvals/${approval}`, {
        headers: { cookie: await cookieOf(gate, 'mia') },
      });
      assert.equal(response.status, 200);
      const page = await response.text();
      const main = page.slice(page.indexOf('<main'), page.indexOf('</main>'));
      return [
        {
          text: main.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' '),
          open: /name="decision"\s+value="approve"/.test(main),
        },
      ];
    },
    breaks: null,
    end: () => Promise.resolve(),
  }),
);
