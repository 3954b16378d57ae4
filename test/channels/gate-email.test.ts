/** E-mail as a part of a whole gate, with a real mail server at its other end, held to what every channel keeps. */
import { gateContract } from './contract-gate.ts';
import { mailReceiver, type GotMail, type MailReceiver } from './mail-receiver.ts';

gateContract('email', async () => {
  const mails: GotMail[] = [];
  let receiver: MailReceiver | null = await mailReceiver();
  const { port } = receiver;
  const keep = async (): Promise<void> => {
    if (receiver === null) return;
    mails.push(...receiver.got);
    await receiver.end();
    receiver = null;
  };
  return {
    name: 'email',
    quiet: true,
    config: `groups: { data-owners: { email: owners@example.test }, security: { email: security@example.test } }
channels: { email: { url: "smtp://127.0.0.1:${port}", from: gate@example.test } }
`,
    copies(_gate, approval) {
      const all = [...mails, ...(receiver?.got ?? [])].filter((mail) => mail.body.includes(approval));
      // A mail cannot be taken back: what an address was told last is what it knows.
      const last = new Map(all.map((mail) => [mail.to.join(), mail]));
      return Promise.resolve(
        [...last].map(([to, mail]) => ({
          text: all
            .filter((one) => one.to.join() === to)
            .map((one) => `${one.subject} ${one.body}`)
            .join('\n'),
          open: /needed|waiting/i.test(mail.subject),
        })),
      );
    },
    breaks: {
      down: keep,
      async up() {
        receiver = await mailReceiver({}, port);
      },
    },
    end: keep,
  };
});
