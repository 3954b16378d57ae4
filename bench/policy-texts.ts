/** Policy sets of any size: ten policies an operation, or all of them for every operation. None forbids {@link allowedInput}. */

export const perOperation = 10;

/** An input that differs from that of another serial in what policies read, so that no verdict on it is remembered. */
export const allowedInput = (serial: number) => ({
  table: 'customers',
  limit: serial % 99_999,
  destination: `s3://support/${serial}.csv`,
});

/** JSON Schema of such an input. */
export const inputSchema = {
  type: 'object',
  properties: {
    table: { type: 'string' },
    limit: { type: 'integer' },
    destination: { type: 'string' },
  },
  required: ['table', 'limit'],
};

/** Names that nobody has configured: the policies that name them are all that there is of them. */
export const operationOf = (serial: number): string => `shop___op_${serial}`;

const permit = (id: string, scope: string): string =>
  `@id("${id}") @title("Support may") permit (principal in Group::"support-agents", ${scope}, resource)\nwhen { context.input.table == "customers" };\n`;

/** In turn: a limit that needs people, a destination that nobody may use, a table that is nobody's. */
function forbid(id: string, scope: string, serial: number): string {
  const head = `forbid (principal, ${scope}, resource)`;
  switch (serial % 3) {
    case 0:
      return `@id("${id}") @title("Export ${serial} of very many rows") @approvers("data-owners")\n${head}\nwhen { context.input has limit && context.input.limit > ${(serial + 1) * 100_000} };\n`;
    case 1:
      return `@id("${id}") @title("Not to bucket ${serial}")\n${head}\nwhen { context.input has destination && context.input.destination like "s3://other-${serial}/*" };\n`;
    default:
      return `@id("${id}") @title("Not table ${serial}")\n${head}\nwhen { context.input has table && context.input.table == "secret_${serial}" };\n`;
  }
}

/** `count` policies of one operation: a permit, and forbids that do not apply to {@link allowedInput}. */
export function policiesOf(operation: string, count: number, permitted = true): string {
  const scope = `action == Action::"${operation}"`;
  const forbids = Array.from({ length: permitted ? count - 1 : count }, (_, at) =>
    forbid(`${operation}.${at}`, scope, at),
  );
  return [...(permitted ? [permit(`${operation}.may`, scope)] : []), ...forbids].join('\n');
}

/** `count` policies, ten an operation, from the operation `from` on. */
export const spread = (count: number, from = 0): string =>
  Array.from({ length: Math.ceil(count / perOperation) }, (_, at) =>
    policiesOf(operationOf(from + at), perOperation),
  ).join('\n');

/** `count` policies that are asked for every operation. */
export const forAll = (count: number): string =>
  [
    permit('may', 'action'),
    ...Array.from({ length: count - 1 }, (_, at) => forbid(`all.${at}`, 'action', at)),
  ].join('\n');
