/** What is known of a request that got no answer. Pure. */
import type { ChannelFailure } from '../ports/channel.ts';

/** Errors of a connection that was never made; whatever else was cut off may have arrived before. */
const neverMade = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH/;

/** Whether nothing of it has arrived. @param why as the operating system says it. */
export const unsentBy = (why: string): Pick<ChannelFailure, 'unsent'> =>
  neverMade.test(why) ? { unsent: true } : {};
