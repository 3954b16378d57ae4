/** Slack as a part of a whole gate, held to what every channel keeps. Its Web API is Vercel's emulator. */
import { gateContract } from './contract-gate.ts';
import { slackGateRig } from './slack/support/gate-rig.ts';

gateContract('slack', slackGateRig);
