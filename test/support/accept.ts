/** The door at the machine against an open store: for tests that change what is in force and are about something else. */
import { acceptAtMachine } from '../../src/app/acceptance.ts';
import { configurationOf } from '../../src/app/accepted.ts';
import type { PolicyEngine, PolicyTexts } from '../../src/ports/policy.ts';
import type { Proposal } from '../../src/ports/settings.ts';
import type { Store } from '../../src/ports/store.ts';

/** Accepts all of it, where it can be proven; what cannot be is for the gate to refuse. Whoever runs then takes it up. */
export async function acceptOutright(
  parts: { readonly store: Store; readonly policy: PolicyEngine },
  proposal: Proposal,
  texts: PolicyTexts,
): Promise<void> {
  await acceptAtMachine(parts, configurationOf(parts.store.joinKey(), proposal, texts), null);
}
