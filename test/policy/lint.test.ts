/** What a set may contain: each refused form with its message and line, beside the form that is accepted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCedar } from '../../src/policy/cedar.ts';
import { compile } from '../../src/policy/compile.ts';
import type { PolicyTexts, PolicyWorld } from '../../src/ports/policy.ts';
import { texts, world } from './support/world.ts';

const cedar = startCedar();
const compiled = (set: string | PolicyTexts, in_: PolicyWorld = world()) =>
  compile(() => cedar, typeof set === 'string' ? texts(set) : set, in_, false);
const said = (set: string | PolicyTexts, in_?: PolicyWorld) =>
  compiled(set, in_).problems.map((one) => `${one.severity} ${one.file}:${one.line}: ${one.message}`);

const scope = '(principal, action == Action::"ops___export_rows", resource)';
const req = (rest: string, head = '') => `@id("r") @approvers("security") ${head} forbid ${scope} ${rest};`;
const lift = 'unless { context.approvals.satisfied.contains("r") }';

const accepted: readonly (readonly [name: string, text: string])[] = [
  ['short form', req('')],
  [
    'short form with conditions',
    req('when { context.input.rows > 5 } unless { context.input.table == "t" }'),
  ],
  ['long form', req(lift)],
  [
    'long form with conditions around',
    req(`unless { context.input.table == "t" } ${lift} when { context.input.rows > 5 }`),
  ],
  ['long form in brackets', req('unless { context["approvals"]["satisfied"].contains("r") }')],
  ['a comment before the semicolon', req('// a note').replace(';', '\n;')],
  ['a semicolon and a brace in a string', req('when { context.input.table == "a;}{" }')],
  [
    'every annotation',
    req(
      '',
      '@quorum("2") @ttl("PT1H") @grant("PT5M") @reason("required") @step_up("passkey") @channels("web slack") @escalate("PT10M sre") @title("T") @tell_agent',
    ),
  ],
  [
    'an attribute called approvals, of a resource',
    `@id("p") permit ${scope} when { {approvals: 1}.approvals == context.input.rows };`,
  ],
  [
    'a chain of 100',
    `@id("p") permit ${scope} when { ${Array(100).fill('context.input.rows > 1').join(' && ')} };`,
  ],
];

for (const [name, text] of accepted) {
  test(`accepted: ${name}`, () =>
    assert.deepEqual(
      said(text).filter((one) => !one.startsWith('info')),
      [],
    ));
}

const refused: readonly (readonly [name: string, text: string, says: RegExp])[] = [
  ['another id', req('unless { context.approvals.satisfied.contains("other") }'), /only its own id, "r"/],
  [
    'approvals in a when',
    req('when { context.approvals.satisfied.contains("r") }'),
    /approvals may be read only as/,
  ],
  [
    'approvals negated in a when',
    req('when { !context.approvals.satisfied.contains("r") }'),
    /approvals may be read only as/,
  ],
  [
    'approvals beside something else',
    req('unless { context.approvals.satisfied.contains("r") || context.input.rows > 5 }'),
    /approvals may be read only as/,
  ],
  [
    'approvals in an if',
    req('unless { if context.approvals.satisfied.contains("r") then true else false }'),
    /approvals may be read only as/,
  ],
  [
    'containsAny',
    req('unless { context.approvals.satisfied.containsAny(["r"]) }'),
    /approvals may be read only as/,
  ],
  ['isEmpty', req('unless { context.approvals.satisfied.isEmpty() }'), /approvals may be read only as/],
  ['equality', req('unless { context.approvals.satisfied == ["r"] }'), /approvals may be read only as/],
  ['context has approvals', req('unless { context has approvals }'), /approvals may be read only as/],
  ['twice', req(`${lift} ${lift}`), /once/],
  [
    'through the whole context',
    req('unless { (if true then context else context).approvals.satisfied.contains("r") }'),
    /context as a whole/,
  ],
  [
    'through a record',
    req('unless { {c: context}.c.approvals.satisfied.contains("r") }'),
    /context as a whole/,
  ],
  ['context compared', `@id("p") permit ${scope} when { context == context };`, /context as a whole/],
  [
    'another part of the context',
    `@id("p") permit ${scope} when { context.auth };`,
    /there is no context.auth/,
  ],
  ['a forbid without @approvers', `@id("r") forbid ${scope} ${lift};`, /without @approvers/],
  ['a permit', `@id("r") permit ${scope} ${lift};`, /approvals in a permit/],
  ['@approvers on a permit', `@id("r") @approvers("security") permit ${scope};`, /@approvers on a permit/],
  ['no id', `permit ${scope};`, /needs an @id/],
  ['an id that needs escapes', `@id("a\\"b") permit ${scope};`, /@id/],
  ['an empty id', `@id permit ${scope};`, /@id/],
  [
    'an annotation of a requirement elsewhere',
    `@id("p") @quorum("2") forbid ${scope};`,
    /@quorum means nothing without @approvers/,
  ],
  ['a quorum of none', req('', '@quorum("0")'), /@quorum/],
  ['a quorum in words', req('', '@quorum("two")'), /@quorum/],
  ['a duration in words', req('', '@ttl("4 hours")'), /@ttl/],
  ['an empty duration', req('', '@grant("PT0S")'), /@grant/],
  ['another reason', req('', '@reason("optional")'), /@reason/],
  ['another step-up', req('', '@step_up("sms")'), /@step_up/],
  ['an unknown channel', req('', '@channels("web pigeon")'), /"pigeon"/],
  ['no channel', req('', '@channels("")'), /@channels/],
  ['half an escalation', req('', '@escalate("PT10M")'), /@escalate/],
  ['two groups', `@id("r") @approvers("a b") forbid ${scope};`, /one group/],
  ['an empty title', req('', '@title("")'), /@title/],
  ['a template', '@id("p") permit (principal == ?principal, action, resource);', /template/],
  ['two with one id', `${req('')}\n${req('')}`, /already at a\.cedar:1/],
  ['no semicolon', req('').replace(';', ''), /semicolon/],
  ['a string without an end', '@id("p) permit (principal, action, resource);', /string without an end/],
  [
    'an operation with two underscores',
    '@id("p") permit (principal, action == Action::"ops__export_rows", resource);',
    /three underscores/,
  ],
  ['an unknown entity type', '@id("p") permit (principal, action, resource is Dataset);', /Dataset/],
  [
    'a field that the tool has not',
    `@id("p") permit ${scope} when { context.input.colour == "red" };`,
    /colour/,
  ],
  [
    'an optional field without has',
    `@id("p") permit ${scope} when { context.input.labels.contains("x") };`,
    /labels/,
  ],
  [
    'types that do not compare',
    `@id("p") permit ${scope} when { context.input.rows == "5" };`,
    /not compatible/,
  ],
  [
    'a chain of 101',
    `@id("p") permit ${scope} when { ${Array(102).fill('context.input.rows > 1').join(' && ')} };`,
    /chain of more than 100/,
  ],
  ['65 brackets', `@id("p") permit ${scope} when { ${'('.repeat(65)}true${')'.repeat(65)} };`, /64 deep/],
  [
    '110 conditionals inside each other',
    `@id("p") permit ${scope} when { ${'if true then '.repeat(110)}true${' else true'.repeat(110)} };`,
    /chain|deep/,
  ],
  [
    'more than 8 KB',
    `@id("p") permit ${scope} when { context.input.table == "${'x'.repeat(8200)}" };`,
    /8192 bytes/,
  ],
];

for (const [name, text, says] of refused) {
  test(`refused: ${name}`, () => {
    const { problems, compiled: set } = compiled(text);
    assert.equal(set, null);
    const errors = problems.filter((problem) => problem.severity === 'error');
    assert.ok(
      errors.some((problem) => says.test(problem.message)),
      JSON.stringify(problems),
    );
    assert.ok(
      errors.every((problem) => problem.file === 'a.cedar' && problem.line > 0),
      JSON.stringify(errors),
    );
  });
}

test('a problem names the line that it is in', () => {
  const good = '// first\n@id("a")\npermit (principal, action, resource); // “ä”\n\n';
  assert.deepEqual(said(`${good}@id("b")\npermit (principal, action, resource)\nwhen { contxt.x };`), [
    'error a.cedar:7: invalid member access `contxt.x`, `contxt` has no fields or methods',
  ]);
  assert.match(
    said(`${good}@id("b")\n@title("“ä”")\npermit ${scope}\nwhen {\n  context.input.colour == 1 };`)[0] ?? '',
    /^error a\.cedar:9: .*colour/,
  );
  assert.match(
    said(`${good}@id("b")\npermit (principal, action, resource)\nwhen { context.input`)[0] ?? '',
    /^error a\.cedar:5: /,
  );
});

test('all problems are told at once', () => {
  assert.equal(
    said(
      `permit ${scope};\n@id("x") @quorum("2") permit ${scope};\n@id("y") permit ${scope} when { contxt };`,
    ).length,
    3,
  );
});

const warned: readonly (readonly [name: string, text: string, says: RegExp])[] = [
  ['an unknown annotation', `@id("p") @titel("x") permit ${scope};`, /@titel/],
  ['arithmetic in a forbid', `@id("p") forbid ${scope} when { context.input.rows * 2 > 5 };`, /arithmetic/],
  [
    'a group without people',
    '@id("r") @approvers("nobody") forbid (principal, action, resource);',
    /nobody is in the group "nobody"/,
  ],
  [
    'a group too small',
    '@id("r") @approvers("platform") @quorum("2") forbid (principal, action, resource);',
    /only 1 person is/,
  ],
  [
    'a group too small without the owner',
    '@id("r") @approvers("data-owners") @quorum("2") forbid (principal, action, resource);',
    /accountable owner.*crm-bot/,
  ],
  [
    'an escalation to nobody',
    '@id("r") @approvers("security") @escalate("PT1M nobody") forbid (principal, action, resource);',
    /"nobody"/,
  ],
  [
    'a tool that its server has not',
    '@id("p") permit (principal, action == Action::"ops___exprt", resource);',
    /ops___exprt is no pinned tool/,
  ],
  [
    'a policy about people only',
    '@id("p") permit (principal is Person, action, resource);',
    /applicable|impossible/,
  ],
];

test('a policy for a server that is not configured is one warning, however many of its tools it names', () => {
  const { problems } = compiled(
    '@id("p") permit (principal, action in [Action::"gone___a", Action::"gone___b", Action::"gone___c"], resource);',
  );
  assert.deepEqual(
    problems.filter((problem) => problem.severity === 'warning').map((problem) => problem.message),
    [
      'gone is no configured server, and gone___a no configured operation (nor are 2 more here): its input is taken to be empty; configure it, or mend the name',
    ],
  );
});

test('noted, once, and no warning: tools of a server that was not seen, since nothing is to be mended', () => {
  const { problems } = compiled(
    '@id("p") permit (principal, action in [Action::"files___a", Action::"files___b"], resource);',
  );
  const told = problems.filter((problem) => /the server files has no pinned tools yet/.test(problem.message));
  assert.deepEqual(
    told.map((problem) => problem.severity),
    ['info'],
  );
});

for (const [name, text, says] of warned) {
  test(`warned: ${name}`, () => {
    const { problems, compiled: set } = compiled(text);
    assert.notEqual(set, null, JSON.stringify(problems));
    assert.ok(
      problems.some((problem) => says.test(problem.message) && problem.severity === 'warning'),
      JSON.stringify(problems),
    );
  });
}

test('a set without a policy is refused', () => {
  for (const set of ['', '// nothing yet\n', { policies: [], schemas: [], entities: null }]) {
    assert.match(said(set).join(), /the policy folder is empty: nothing is permitted/);
  }
});

test('the operator declares types, not actions, and none of ours', () => {
  const p = '@id("p") permit (principal, action, resource);';
  assert.deepEqual(said(texts(p, { schema: 'entity Dataset = { steward: Person };' })), []);
  assert.match(
    said(
      texts(p, { schema: 'entity D;\naction "read" appliesTo { principal: [D], resource: [D] };' }),
    ).join(),
    /error a\.cedarschema:2: action "read"/,
  );
  assert.match(
    said(texts(p, { schema: '\nentity Person;' })).join(),
    /error a\.cedarschema:2: .*declared twice/,
  );
  assert.match(
    said(texts(p, { schema: 'entity A;\nentity B = { x: };' })).join(),
    /error a\.cedarschema:2: /,
  );
});

test('entities.json holds resources that fit the types', () => {
  const p = '@id("p") permit (principal, action, resource);';
  const schema = 'entity Dataset = { secret: Bool };';
  const one = (uid: object, attrs: object = { secret: true }) =>
    said(texts(p, { schema, entities: JSON.parse(JSON.stringify([{ uid, attrs, parents: [] }])) }));
  assert.deepEqual(one({ type: 'Dataset', id: 'a' }), []);
  assert.deepEqual(one({ __entity: { type: 'Dataset', id: 'a' } }), []);
  assert.match(
    one({ type: 'Dataset', id: 'a' }, { secret: 'yes' }).join(),
    /error entities\.json:0: .*secret/,
  );
  assert.match(one({ type: 'Dataset', id: 'a' }, {}).join(), /secret/);
  assert.match(one({ type: 'Person', id: 'eve' }, {}).join(), /come from the configuration/);
  assert.match(one({ type: 'Agent', id: 'bot' }, {}).join(), /come from the configuration/);
  assert.match(one({ kind: 'x' }).join(), /entity 1 must be/);
  assert.match(said(texts(p, { entities: { a: 1 } })).join(), /must be a list/);
});

test('a policy that only a chat may decide which is not there: nobody could approve, and that is said where it is known', () => {
  const only = (channels: string): string => req('', `@channels("${channels}")`);
  const warnings = (channels: string, chats?: readonly string[]): readonly string[] =>
    said(only(channels), { ...world(), ...(chats === undefined ? {} : { chats }) }).filter((one) =>
      one.includes('@channels'),
    );
  assert.deepEqual(warnings('slack', []), [
    'warning a.cedar:1: @channels("slack"), but channels.slack is not configured: nobody could approve',
  ]);
  assert.equal(warnings('slack teams', []).length, 1);
  assert.deepEqual(warnings('slack teams', ['teams']), []);
  assert.deepEqual(warnings('slack web', []), []);
  assert.deepEqual(warnings('slack'), []);
});
