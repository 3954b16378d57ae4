/** Nothing that text can hide stays hidden, and nothing is dropped. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hostForms, mixedScripts, visible, visibleLine } from '../../src/core/visible.ts';

/** One of each kind that hides: by code point. */
// prettier-ignore
const hiding: readonly number[] = [
  // Control: NUL, BEL, CR, ESC, DEL, NEL.
  0x00, 0x07, 0x0d, 0x1b, 0x7f, 0x85,
  // Bidirectional, zero width, soft hyphen, byte order mark, tags, musical format characters.
  0x202a, 0x202e, 0x2066, 0x2069, 0x200e, 0x061c, 0x200b, 0x200c, 0x200d, 0x2060, 0xad, 0xfeff, 0xe0001,
  0xe0041, 0x1d173,
  // Private and unassigned; separators; spaces that are not the space.
  0xe000, 0xf0000, 0x0378, 0xfffe, 0x2028, 0x2029, 0xa0, 0x1680, 0x2003, 0x202f, 0x205f, 0x3000,
  // Variation selectors, fillers, blank glyphs.
  0xfe00, 0xfe0f, 0xe0100, 0xe01ef, 0x180b, 0x115f, 0x1160, 0x3164, 0xffa0, 0x2800, 0x034f, 0x17b4, 0x17b5,
  0x16fe4, 0x1d159,
];

test('invisible, control and bidirectional characters are shown by their code point', () => {
  for (const code of hiding) {
    const name = `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
    assert.equal(visible(`a${String.fromCodePoint(code)}b`), `a${name}b`);
    assert.equal(visibleLine(`a${String.fromCodePoint(code)}b`), `a${name}b`);
  }
});

test('each half of a broken surrogate pair is shown; a whole pair is text', () => {
  assert.equal(visible('\ud800'), '⟨U+D800⟩');
  assert.equal(visible('\ud83dx\ude00'), '⟨U+D83D⟩x⟨U+DE00⟩');
  assert.equal(visible('\u{1f600}'), '\u{1f600}');
});

test('line breaks and tabs stay, but not on one line', () => {
  assert.equal(visible('a\n\tb\r\n'), 'a\n\tb⟨U+000D⟩\n');
  assert.equal(visibleLine('a\n\tb'), 'a⟨U+000A⟩⟨U+0009⟩b');
});

test('ordinary text of any language is left alone', () => {
  for (const text of [
    '',
    'DROP TABLE "x";',
    'naïve café',
    'Привет',
    '日本語',
    'שלום',
    'مرحبا',
    'हिन्दी',
    '한국어',
    '🙂',
    'e\u0301',
  ]) {
    assert.equal(visible(text), text);
  }
});

test('property: twice is once, nothing hidden is left, nothing is dropped', () => {
  const hidden = fc.constantFrom(...hiding.map((code) => String.fromCodePoint(code)));
  const part = fc.oneof(fc.string({ unit: 'binary' }), hidden, fc.constantFrom('\ud800', '\n', '\t', ' '));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const text = parts.join('');
      const shown = visible(text);
      assert.equal(visible(shown), shown);
      assert.equal(visibleLine(visibleLine(text)), visibleLine(text));
      assert.ok(!/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/u.test(shown.replace(/[\n\t]/g, '')));
      // Undoing the escapes gives the text again, where it had no such words of its own.
      fc.pre(!text.includes('⟨U+'));
      assert.equal(
        shown.replace(/⟨U\+([0-9A-F]+)⟩/g, (_all, code: string) => String.fromCodePoint(parseInt(code, 16))),
        text,
      );
    }),
  );
});

test('host names in both forms', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['münchen.de', 'xn--mnchen-3ya.de', 'münchen.de'],
    ['xn--mnchen-3ya.de', 'xn--mnchen-3ya.de', 'münchen.de'],
    ['XN--MNCHEN-3YA.DE', 'xn--mnchen-3ya.de', 'münchen.de'],
    ['xn--80ak6aa92e.com', 'xn--80ak6aa92e.com', 'аррӏе.com'],
    ['аpple.com', 'xn--pple-43d.com', 'аpple.com'],
    ['пример.испытание', 'xn--e1afmkfd.xn--80akhbyknj4f', 'пример.испытание'],
    ['日本語。ｊｐ', 'xn--wgv71a119e.jp', '日本語.jp'],
    ['１２７.0.0.1', '127.0.0.1', '127.0.0.1'],
    // Labels that no Unicode name encodes to: their only form is the one that DNS is asked.
    ['xn--safe-.com', 'xn--safe-.com', 'xn--safe-.com'],
    ['xn--99999.com', 'xn--99999.com', 'xn--99999.com'],
  ];
  for (const [host, ascii, unicode] of cases) assert.deepEqual(hostForms(host), { ascii, unicode }, host);
});

test('RFC 3492 section 7.1: sample strings', () => {
  const samples: readonly (readonly [string, string])[] = [
    ['egbpdaj6bu4bxfgehfvwxn', 'ليهمابتكلموشعربي؟'],
    ['ihqwcrb4cv8a8dqg056pqjye', '他们为什么不说中文'],
    ['4dbcagdahymbxekheh6e0a7fei0b', 'למההםפשוטלאמדבריםעברית'],
    ['b1abfaaepdrnnbgefbadotcwatmq2g4l', 'почемужеонинеговорятпорусски'],
    ['3b-ww4c5e180e575a65lsy2b', '3年b組金八先生'],
    ['2-u9tlzr9756bt3uc0v', 'ひとつ屋根の下2'],
  ];
  for (const [encoded, text] of samples) {
    const forms = hostForms(`xn--${encoded}.example`);
    // A name that URL takes for none (the Arabic question mark is one) stays as it is; the others are read.
    assert.ok(forms !== undefined);
    if (!text.includes('؟')) assert.equal(forms.unicode, `${text}.example`);
  }
});

test('no second form for plain names, and none for what is no host name', () => {
  // prettier-ignore
  const hosts = [
    '', 'example.com', 'localhost', '127.0.0.1', 'a-b--c.example', 'é/x', 'é@b', 'é:80', 'é b', 'é%2e', 'é?', 'é#',
  ];
  for (const host of [...hosts, `${'é'.repeat(300)}.de`, 'é\n.de', '\u202e.com'])
    assert.equal(hostForms(host), undefined, host);
});

test('property: host forms never throw, hide nothing, and name one host', () => {
  const label = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.stringMatching(/^xn--[a-z0-9-]{0,20}$/),
  );
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 3 }), (labels) => {
      const forms = hostForms(labels.join('.'));
      if (forms === undefined) return;
      assert.match(forms.ascii, /^[\0-\x7f]*$/);
      assert.equal(visibleLine(forms.unicode), forms.unicode);
      const [ascii, unicode] = [forms.ascii.split('.'), forms.unicode.split('.')];
      assert.equal(unicode.length, ascii.length);
      for (const [index, shown] of unicode.entries()) {
        if (shown !== ascii[index]) assert.equal(URL.parse(`http://${shown}`)?.hostname, ascii[index]);
      }
    }),
    { numRuns: 2000 },
  );
});

test('words that mix alphabets are marked', () => {
  for (const text of ['pаypal', 'αlpha', 'see pаypal.com now', 'adмin', 'user-а', 'аα'])
    assert.ok(mixedScripts(text), text);
  for (const text of [
    'paypal',
    'привет',
    'hello привет',
    'пример.com',
    'αβγ',
    'naïve',
    '日本 abc',
    'x1_y',
    '',
  ]) {
    assert.ok(!mixedScripts(text), text);
  }
});
