// Writes docs/config.schema.json from the schema that the gate validates with: node bin/node.mjs scripts/config-schema.ts
import { writeFileSync } from 'node:fs';
import { configSchema } from '../src/config/schema.ts';

writeFileSync(
  new URL('../docs/config.schema.json', import.meta.url),
  `${JSON.stringify(configSchema, null, 2)}\n`,
);
