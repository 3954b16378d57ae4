/** The command that makes the same again, as a report has it: where it runs as it stands. */
import type { Evidence } from '../core/evidence/model.ts';
import type { Text } from './flow.ts';

/** Both commands in one paragraph: at the machine, and from elsewhere. */
export const queryText = ({ command, gate }: Pick<Evidence, 'command' | 'gate'>): Text => [
  { text: command, face: 'mono' },
  ' at the gate’s machine, in the folder of its countersign.yaml; from elsewhere with ',
  { text: `--url ${gate}`, face: 'mono' },
  ' behind it and a token of one’s own in COUNTERSIGN_TOKEN.',
];
