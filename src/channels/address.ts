/**
 * Which addresses a callback may connect to: what a name resolves to is the agent's to choose wherever it controls the name.
 * Only addresses of the public internet; with the dangerous option those of private networks too. Never, whatever is
 * configured: cloud metadata, link-local, multicast, and IPv6 that carries an IPv4 address inside.
 */
import { BlockList, isIP, isIPv4 } from 'node:net';

type Range = readonly [base: string, prefix: number];

function listOf(v4: readonly Range[], v6: readonly Range[]): BlockList {
  const list = new BlockList();
  for (const [base, prefix] of v4) list.addSubnet(base, prefix, 'ipv4');
  for (const [base, prefix] of v6) list.addSubnet(base, prefix, 'ipv6');
  return list;
}

/** Services of clouds that hand out credentials to whoever reaches them; some hide in private or public ranges. */
const metadata = listOf(
  [
    ['169.254.0.0', 16],
    ['100.100.100.200', 32],
    ['168.63.129.16', 32],
    ['192.0.0.192', 32],
  ],
  [
    ['fd00:ec2::', 32],
    ['fd20:ce::', 32],
  ],
);

/** RFC 1122, 1918, 6598, 4193: this machine and the networks around it. */
const privateNetworks = listOf(
  [
    ['127.0.0.0', 8],
    ['10.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['100.64.0.0', 10],
  ],
  [
    ['::1', 128],
    ['fc00::', 7],
  ],
);

/** IANA's special-purpose IPv4 addresses that are not globally reachable, and multicast and reserved ones. */
const special4 = listOf(
  [
    ['0.0.0.0', 8],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.88.99.0', 24],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 4],
    ['240.0.0.0', 4],
  ],
  [],
);

/**
 * Global unicast (RFC 4291 §2.4). Outside: unspecified, IPv4-compatible, translated (64:ff9b::/96), link-local, multicast, and
 * what is not assigned to anybody.
 */
const global6 = listOf([], [['2000::', 3]]);
/** Inside of it, and not anybody's address: IETF protocols with Teredo, documentation, 6to4. */
const special6 = listOf(
  [],
  [
    ['2001::', 23],
    ['2001:db8::', 32],
    ['2002::', 16],
    ['3fff::', 20],
  ],
);

/** `BlockList` sees through these to the IPv4 address inside; nothing public is written so. */
const mapped6 = listOf([], [['::ffff:0:0', 96]]);

/** Null where a callback may connect to it; else what it is, in a few words. @param address as a resolver answers it. */
export function refusedAddress(address: string, privateAddresses: boolean): string | null {
  // A zone (`%eth0`) names an interface of this machine.
  if (isIP(address) === 0 || address.includes('%')) return 'no address';
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  if (family === 'ipv6' && mapped6.check(address, family)) return 'IPv4 inside IPv6';
  if (metadata.check(address, family)) return 'an address of cloud metadata';
  if (privateNetworks.check(address, family)) return privateAddresses ? null : 'a private address';
  if (special4.check(address, family) || special6.check(address, family)) return 'a reserved address';
  return family === 'ipv4' || global6.check(address, family) ? null : 'not a global address';
}
