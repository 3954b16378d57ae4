/** The page of a comparison in a real browser, on a desk and on a phone: nothing is wider than the window, and nothing goes wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asPersonId } from '../../src/core/ids.ts';
import { newLink } from '../../src/identity/sessions.ts';
import { systemRandom } from '../../src/main.ts';
import { startTestGate } from '../support/gate.ts';
import { openBrowser, overflow, personAt } from './browser.ts';

test('what happened outside the gate is read on a desk and on a phone', async (t) => {
  const gate = await startTestGate();
  t.after(() => gate.stop());
  const browser = await openBrowser();
  t.after(() => browser.close());
  const nowMs = Date.now();
  const at = new Date(nowMs).toISOString();
  const { body } = await gate.call(await gate.token('person', 'sam'), 'POST', '/v1/reconciliations', {
    from: new Date(nowMs - 3_600_000).toISOString(),
    to: new Date(nowMs + 3_600_000).toISOString(),
    targets: ['shop'],
    name: 'audit-of-november.json',
    rows: [
      { at, what: `UPDATE customers SET email = '${'x'.repeat(120)}'`, who: 'root@shop' },
      { at, what: 'DELETE FROM customers', who: 'app@shop', id: `exe_${'0'.repeat(26)}` },
    ],
  });
  for (const viewport of [
    { width: 390, height: 844 },
    { width: 1280, height: 900 },
  ]) {
    const { token, hash } = newLink(systemRandom);
    const { parts, origin } = gate.gate();
    const expiresAtMs = parts.clock.nowMs() + 3_600_000;
    assert.ok((await parts.store.change({ kind: 'link', person: asPersonId('ada'), hash, expiresAtMs })).ok);
    const ada = await personAt(browser, origin, token, { viewport });
    await ada.page.goto(`${origin}/reconciliations`);
    assert.equal(await overflow(ada.page), 0);
    await ada.page.click(`a[href="/reconciliations/${body.id}"]`);
    assert.equal(await overflow(ada.page), 0);
    assert.match(await ada.page.innerText('#main'), /2 rows happened there outside the gate/);
    if (process.env['SHOT'] !== undefined)
      await ada.page.screenshot({ path: `${process.env['SHOT']}-${viewport.width}.png`, fullPage: true });
    assert.deepEqual(ada.wrong, []);
    await ada.close();
  }
});
