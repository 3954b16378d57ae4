/** Random Cedar expressions that are well typed over one request, as text; for tests of the printer and the interpreter. */
import fc from 'fast-check';

const longs = fc.oneof(
  fc.constantFrom('context.input.n', 'context.input.r.m', 'resource.size'),
  fc.integer({ min: -9, max: 9 }).map(String),
);
const strings = fc.constantFrom(
  'context.input.s',
  'context.input.r["odd name"]',
  '"a"',
  '"b\\"\\\\"',
  '"a*b"',
  '""',
);
const sets = fc.constantFrom('context.input.l', '["a", "b"]', '["a"]', '[context.input.s, "b"]');
const entities = fc.constantFrom(
  'principal',
  'resource',
  'action',
  'Agent::"bot"',
  'Group::"g"',
  'Folder::"top"',
  'resource.folder',
);
const decimals = fc.constantFrom('decimal("1.50")', 'decimal("-0.0001")', 'decimal("1.5")');
const times = fc.constantFrom(
  'context.system.now',
  'datetime("2026-11-22")',
  'context.system.now.offset(duration("-1h30m"))',
  'datetime("2026-11-22T12:00:00Z").offset(duration("5ms"))',
);
const relations = fc.constantFrom('<', '<=', '>', '>=', '==', '!=');
const patterns = fc.constantFrom('"a*"', '"*"', '"*a*b*"', '"a\\*b"', '"b\\"\\\\"', '""');

const { bool } = fc.letrec<{ bool: string; long: string }>((tie) => ({
  long: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    longs,
    fc
      .tuple(tie('long'), fc.constantFrom('+', '-', '*'), tie('long'))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('long').map((a) => `-(${a})`),
    fc.tuple(tie('bool'), tie('long'), tie('long')).map(([t, a, b]) => `(if ${t} then ${a} else ${b})`),
  ),
  bool: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('true', 'false', 'context.input.b', 'resource.open'),
    fc.tuple(tie('long'), relations, tie('long')).map(([a, op, b]) => `${a} ${op} ${b}`),
    fc.tuple(strings, fc.constantFrom('==', '!='), strings).map(([a, op, b]) => `${a} ${op} ${b}`),
    fc.tuple(strings, patterns).map(([a, pattern]) => `${a} like ${pattern}`),
    fc.tuple(sets, strings).map(([a, b]) => `${a}.contains(${b})`),
    fc
      .tuple(sets, fc.constantFrom('containsAll', 'containsAny', '=='), sets)
      .map(([a, method, b]) => (method === '==' ? `${a} == ${b}` : `${a}.${method}(${b})`)),
    sets.map((a) => `${a}.isEmpty()`),
    fc.tuple(entities, fc.constantFrom('in', '==', '!='), entities).map(([a, op, b]) => `${a} ${op} ${b}`),
    fc.tuple(entities, entities, entities).map(([a, b, c]) => `${a} in [${b}, ${c}]`),
    fc.tuple(entities, fc.constantFrom('Agent', 'Folder', 'Action')).map(([a, type]) => `${a} is ${type}`),
    fc.tuple(entities, entities).map(([a, b]) => `${a} is Folder in ${b}`),
    fc.constantFrom(
      'context.input has n',
      'context.input has gone',
      'context.input has r.m',
      'context.input has "odd name"',
      'resource has size',
      'principal has colour',
      'context.input has r.m.x.y == false',
    ),
    fc.constantFrom(
      '{a: 1, b: "x"} == {b: "x", a: 1}',
      'context.input.r == {m: 3, "odd name": "a"}',
      '{"then": 1}["then"] == 1',
    ),
    fc
      .tuple(decimals, fc.constantFrom('lessThan', 'greaterThanOrEqual'), decimals)
      .map(([a, method, b]) => `${a}.${method}(${b})`),
    fc.tuple(times, relations, times).map(([a, op, b]) => `${a} ${op} ${b}`),
    tie('bool').map((a) => `!(${a})`),
    fc
      .tuple(tie('bool'), fc.constantFrom('&&', '||'), tie('bool'))
      .map(([a, op, b]) => `(${a}) ${op} (${b})`),
    fc.tuple(tie('bool'), tie('bool'), tie('bool')).map(([t, a, b]) => `if ${t} then ${a} else (${b})`),
  ),
}));

/** Expressions that are a Bool. `==` of records and sets may be of types that a strict schema would refuse. */
export const boolExpressions: fc.Arbitrary<string> = bool.filter((text) => !text.includes('.y == false'));
