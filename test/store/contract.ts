/** What every store must keep (src/ports/store.ts), run against a real database: `contract(name, make)`. */
import type { MakeBench } from './bench.ts';
import { boundsContract } from './contract-bounds.ts';
import { casesContract } from './contract-cases.ts';
import { chatsContract } from './contract-chats.ts';
import { delegationsContract } from './contract-delegations.ts';
import { erasureContract } from './contract-erasure.ts';
import { evidenceContract } from './contract-evidence.ts';
import { gatesContract } from './contract-gates.ts';
import { glassContract } from './contract-glass.ts';
import { grantsContract } from './contract-grants.ts';
import { guardsContract } from './contract-guards.ts';
import { logContract } from './contract-log.ts';
import { logScanContract } from './contract-log-scan.ts';
import { overviewContract } from './contract-overview.ts';
import { peopleContract } from './contract-people.ts';
import { passkeysContract } from './contract-passkeys.ts';
import { racesContract } from './contract-races.ts';
import { reconcileContract } from './contract-reconcile.ts';
import { reportContract } from './contract-report.ts';
import { sweepContract } from './contract-sweep.ts';
import { tokensContract } from './contract-tokens.ts';
import { worldContract } from './contract-world.ts';

/** Registers every test of the contract under the store's name. */
export function contract(name: string, make: MakeBench): void {
  casesContract(name, make);
  worldContract(name, make);
  delegationsContract(name, make);
  grantsContract(name, make);
  guardsContract(name, make);
  racesContract(name, make);
  passkeysContract(name, make);
  boundsContract(name, make);
  overviewContract(name, make);
  peopleContract(name, make);
  reportContract(name, make);
  reconcileContract(name, make);
  glassContract(name, make);
  erasureContract(name, make);
  evidenceContract(name, make);
  sweepContract(name, make);
  tokensContract(name, make);
  chatsContract(name, make);
  logContract(name, make);
  logScanContract(name, make);
  gatesContract(name, make);
}
