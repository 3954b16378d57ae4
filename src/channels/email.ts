/**
 * E-mail: tells, and links to the page; what it says is email-text.ts. One mail for each address, so that an address that is
 * refused keeps nobody else's mail back. Promises: the connection is encrypted and its certificate checked, unless the server is
 * on this machine; mails of one approval are one thread; a repeat has the same Message-ID, and is not sent to an address that
 * has it already as far as this process knows; no password is in a failure.
 */
import { createTransport, type NodemailerError, type SMTPTransportOptions } from 'nodemailer';
import { err, ok } from '../core/result.ts';
import { short } from '../core/render/shown.ts';
import type { EmailSettings } from '../ports/channel-settings.ts';
import type { Channel, ChannelFailure, Delivered, Proof, Told } from '../ports/channel.ts';
import { mailOf, type Mail } from './email-text.ts';

/** Of connecting, of the greeting, and of every silence after it. */
const silenceMs = 8000;
/** After that no further address is begun: the rest is delivered by the next try. A notice is ours for a minute at most. */
const deliveryMs = 15_000;
/** Of one mail, however a server drips. */
const mailMs = 20_000;
/** Notices that are remembered because some of their addresses have them. */
const partlyMax = 1000;
/** Characters of a server's answer that are kept. */
const answerCharsMax = 200;

export interface EmailMore {
  /** PEM of an authority to trust instead of the usual ones. */
  readonly ca?: string;
  /** Connects there instead of asking where the name leads; the certificate must be the name's. */
  readonly address?: string;
  /** Instead of {@link silenceMs}. */
  readonly silenceMs?: number;
  /** Instead of {@link mailMs}. */
  readonly mailMs?: number;
}

/** The channel `email`. */
export function createEmail(settings: EmailSettings, more: EmailMore = {}): Channel {
  const url = new URL(settings.url);
  const transport = createTransport(optionsOf(url, more));
  const arrived = new Map<string, Set<string>>();
  const host = hostOf(settings.from);
  const secrets = secretsOf(url);

  const send = async (told: Told, mail: Mail, to: string): Promise<Proof> => {
    const id = `<${told.id}@${host}>`;
    // No message of that name is ever sent: what all mails of an approval answer to is what makes them a thread.
    const thread = `<${told.case.approval?.id ?? told.case.asked.id}@${host}>`;
    await transport.sendMail({
      from: settings.from,
      // As an object: commas and brackets in it are of no meaning.
      to: { name: '', address: to },
      subject: mail.subject,
      text: mail.text,
      messageId: id,
      inReplyTo: thread,
      references: thread,
      // RFC 3834: nobody's absence is to be told to the gate; the second is Exchange's word for it.
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      date: new Date(told.nowMs),
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    return { to, ref: id };
  };

  const remember = (id: string, have: Set<string>): void => {
    arrived.delete(id);
    arrived.set(id, have);
    const [oldest] = arrived.keys();
    if (arrived.size > partlyMax && oldest !== undefined) arrived.delete(oldest);
  };

  return {
    name: 'email',
    deliver: async (told) => {
      const mail = mailOf(told);
      if (mail === null) return ok([]);
      const have = arrived.get(told.id) ?? new Set<string>();
      const left = [...new Set(told.to.map(({ to }) => to))].filter((to) => !have.has(to));
      const proofs: Proof[] = [];
      const failures: ChannelFailure[] = [];
      const startMs = performance.now();
      for (const to of left) {
        if (performance.now() - startMs > deliveryMs) {
          failures.push({ detail: 'the mail server is too slow', retryable: true });
          break;
        }
        try {
          proofs.push(await within(more.mailMs ?? mailMs, send(told, mail, to)));
          have.add(to);
        } catch (error) {
          const failure = failureOf(error, to, secrets);
          failures.push(failure);
          if (failure.whole === true) break;
        }
      }
      if (failures.length === 0) arrived.delete(told.id);
      else if (have.size > 0) remember(told.id, have);
      return outcomeOf(proofs, failures);
    },
  };
}

/** Rejects at the time; what was begun may still end, and then its Message-ID says that it is the same. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`the mail server took longer than ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What can still arrive is tried again: an address that is refused for good gives up only once it is alone. */
function outcomeOf(proofs: readonly Proof[], failures: readonly ChannelFailure[]): Delivered {
  if (failures.length === 0) return ok(proofs);
  return err({
    detail: failures.map(({ detail }) => detail).join('; '),
    retryable: failures.some(({ retryable }) => retryable),
    ...(failures.some(({ whole }) => whole === true) ? { whole: true } : {}),
  });
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

function optionsOf(url: URL, more: EmailMore): SMTPTransportOptions {
  const { ca, address, silenceMs: waitMs = silenceMs } = more;
  const secure = url.protocol === 'smtps:';
  const local = !secure && loopback.test(url.hostname);
  return {
    host: address ?? url.hostname.replace(/^\[|\]$/g, ''),
    ...(address === undefined ? {} : { servername: url.hostname }),
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    // A relay on this machine often has a certificate that nobody signed, and needs none.
    ...(local ? { ignoreTLS: true } : { requireTLS: true }),
    tls: { rejectUnauthorized: true, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) },
    ...(url.username === ''
      ? {}
      : { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }),
    dnsTimeout: waitMs,
    connectionTimeout: waitMs,
    greetingTimeout: waitMs,
    socketTimeout: waitMs,
    // Both would write what is sent, the password with it.
    logger: false,
    debug: false,
  };
}

/** The part after the @ of the gate's own address: Message-IDs are of its making (RFC 5322 §3.6.4). */
const hostOf = (from: string): string => /@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1] ?? 'countersign.invalid';

/** Replies that are about the gate and not about this mail: 421 the server goes away; the rest ask for another login or for TLS. */
const wholeCodes: ReadonlySet<number> = new Set([421, 454, 530, 534, 535, 538]);

/** The password in every form in which a server is told it (RFC 4616, AUTH LOGIN), the longest first. None where there is none. */
function secretsOf({ username, password }: URL): readonly string[] {
  if (password === '') return [];
  const [user, plain] = [decodeURIComponent(username), decodeURIComponent(password)];
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return [base64(`\0${user}\0${plain}`), password, base64(plain), plain].toSorted(
    (one, other) => other.length - one.length,
  );
}

/** What a server answered; of an answer to a sign-in no more than its codes, because it may repeat what it was told in part. */
function saidBy({ code, response, message }: NodemailerError, secrets: readonly string[]): string {
  const text = response ?? message;
  if (code === 'EAUTH') {
    const [codes = ''] = /^\d{3}(?:[ -]\d\.\d{1,3}\.\d{1,3})?/.exec(response ?? '') ?? [];
    return `the mail server does not take the user name and the password${codes === '' ? '' : ` (${codes})`}`;
  }
  return secrets.reduce((left, secret) => left.replaceAll(secret, '…'), text);
}

/** A mail that was not taken: for now, for good, or because nothing is (RFC 5321 §4.2.1). */
function failureOf(error: unknown, to: string, secrets: readonly string[]): ChannelFailure {
  // Nodemailer rejects with nothing else; whatever it is, only texts and numbers of it are read.
  const failed = error as NodemailerError;
  const { code, responseCode, permanent } = failed;
  // A server that is told a password may repeat it.
  const said = short(saidBy(failed, secrets), answerCharsMax);
  const ofThis = (code === 'EENVELOPE' || code === 'EMESSAGE') && responseCode !== undefined;
  return ofThis && !wholeCodes.has(responseCode)
    ? { detail: `${short(to, answerCharsMax)} was refused: ${said}`, retryable: permanent !== true }
    : { detail: said, retryable: true, whole: true };
}
