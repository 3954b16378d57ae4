/** A person's browser at a whole gate (gate.ts): signed in by a link, reading pages. */
import assert from 'node:assert/strict';
import { asPersonId } from '../../src/core/ids.ts';
import { newLink } from '../../src/identity/sessions.ts';
import { systemRandom } from '../../src/main.ts';
import type { TestGate } from './gate.ts';

export interface Page {
  readonly status: number;
  readonly text: string;
}

/** Signs somebody in; answers how they read a page. */
export async function browse(gate: TestGate, person: string): Promise<(path: string) => Promise<Page>> {
  const { url, origin, parts } = gate.gate();
  const { token, hash } = newLink(systemRandom);
  const expiresAtMs = parts.clock.nowMs() + 3_600_000;
  assert.ok((await parts.store.change({ kind: 'link', person: asPersonId(person), hash, expiresAtMs })).ok);
  const signedIn = await fetch(`${url}/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin, 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token }).toString(),
  });
  assert.equal(signedIn.status, 303);
  const cookie = /^[^;]+/.exec(signedIn.headers.get('set-cookie') ?? '')?.[0] ?? '';
  return async (path) => {
    const response = await fetch(url + path, { headers: { cookie } });
    return { status: response.status, text: await response.text() };
  };
}
