/** Nothing hides in what people see, whatever an agent, a tool or a person wrote; and no secret shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { asPersonId } from '../../../src/core/ids.ts';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { presentText } from '../../../src/core/render/text.ts';
import { visible } from '../../../src/core/visible.ts';
import { scene, seen, shownTo, stringsIn } from './scenes.ts';

const nasty = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    '\u202Eevil',
    'a\u200Bb',
    '\u001b[2J',
    'a\r\nb',
    '\u{E0041}tag',
    'x\u2028y',
    '\u2800',
    '\u00A0',
    'tab\there',
    '⟨U+202E⟩',
    'ﾠ\u115F',
    '<b>&amp;"\'',
    '__proto__x',
    '\uFEFF',
  ),
);
const value = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    nasty,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(nasty, tie('value'), { maxKeys: 4 }) as fc.Arbitrary<JsonValue>,
  ),
})).value;
const object = fc.dictionary(nasty, value, { maxKeys: 6 }) as fc.Arbitrary<JsonObject>;
const effects = fc.constantFrom('read', 'write', 'export', 'delete', 'grant', 'execute' as const);

test('nothing hides in a presentation, whoever wrote it', () => {
  fc.assert(
    fc.property(
      fc.record({
        input: object,
        answer: value,
        words: fc.array(nasty, { minLength: 8, maxLength: 8 }),
        effect: effects,
        profiled: fc.boolean(),
      }),
      ({ input, answer, words, effect, profiled }) => {
        const [a = '', b = '', c = '', d = '', e = '', f = '', g = '', h = ''] = words;
        const profile = {
          verb: a,
          effect,
          environment: b,
          consequence: c,
          resource: { type: 'T', id: 'input.principal' },
          preview: { tool: 't', input: {}, count: d },
          before: { tool: 't', input: {} },
        } as const;
        const it = scene(
          {
            operation: `${e}___${f}`,
            resource: { type: 'T', id: g },
            session: h,
            reason: a + b,
            input: { ...input, principal: c, role: d, content: e, where: input },
            startedBy: asPersonId(f),
          },
          {
            profile: profiled ? profile : null,
            preview: seen(g, answer),
            before: seen(h, { roles: [{ role: a }], content: b, list: [{ [c]: d }] }),
          },
        );
        const held = it.review('rosa', { decision: 'deny', reason: g });
        const shown = shownTo(held, 'rosa', {
          past: { total: 2, byState: { [h]: 2 }, sinceMidnight: 0, last: { atMs: 0, state: h } },
        });
        for (const text of stringsIn(shown)) {
          assert.equal(visible(text), text);
          assert.ok(!text.includes('\n'), JSON.stringify(text));
        }
        const plain = presentText(shown, { color: false, width: 72 });
        assert.equal(visible(plain), plain);
        // Colours are the only escapes that we print.
        const painted = presentText(shown, { color: true, width: 72 });
        assert.equal(painted.replace(/\u001b\[\d+m/g, ''), plain);
      },
    ),
    { numRuns: 300 },
  );
});

test('secrets are masked everywhere, and no key is ever hidden', () => {
  const secretKeys = fc.constantFrom('password', 'API_TOKEN', 'apiKey', 'client_secret', 'Authorization');
  fc.assert(
    fc.property(secretKeys, fc.stringMatching(/^[a-z]{12,20}$/), fc.boolean(), (key, word, lines) => {
      const secret = `zq${word}${lines ? '\nsecond' : ''}`;
      const input: JsonObject = {
        [key]: secret,
        destination: { [key]: secret },
        where: { [key]: secret },
        list: [{ name: key, value: secret }],
        principal: 'x',
        role: 'y',
      };
      for (const effect of ['export', 'grant', 'write'] as const) {
        const it = scene(
          { input, reason: `token sk-${word}zzzzzzzzzzzz` },
          {
            profile: {
              verb: 'Do',
              effect,
              before: { tool: 't', input: {} },
              preview: { tool: 't', input: {} },
            },
            preview: seen('t', input),
            before: seen('t', { rows: [{ [key]: secret }] }),
          },
        );
        const shown = shownTo(it.held, 'rosa');
        const all = stringsIn(shown);
        assert.ok(
          !all.some((text) => text.includes(`zq${word}`) || text.includes(`sk-${word}`)),
          JSON.stringify(all.filter((text) => text.includes(word))),
        );
        const code = shown.exact.input
          .map((line) => line.tokens.map((token) => token.text).join(''))
          .join('\n');
        assert.ok(code.includes(JSON.stringify(key)), code);
        assert.ok(shown.exact.notes.some((note) => note.kind === 'masked'));
      }
    }),
    { numRuns: 60 },
  );
});
