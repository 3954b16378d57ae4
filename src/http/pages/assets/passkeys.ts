/**
 * The pages' script, the part for passkeys, as it is served: it asks the browser for a signature or a new passkey and puts what
 * it gives into the form that was sent. What is signed comes from the gate; nothing here decides.
 */
export const passkeyScript = String.raw`
// ---- Passkeys ----
{
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0));
  const base64url = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  const listed = (all) => all.map(({ id, transports }) => ({ type: 'public-key', id: bytes(id), transports }));
  const timeout = 240000;

  async function asked(form, path) {
    const body = new URLSearchParams({ csrf: form.elements.csrf.value });
    if (form.elements.decision) body.set('decision', form.elements.decision.value);
    const answer = await fetch(path, { method: 'POST', body, credentials: 'same-origin', redirect: 'error' });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.detail);
    return said;
  }

  async function signed({ rpId, challenge, allow }) {
    const { id, response } = await navigator.credentials.get({
      publicKey: { challenge: bytes(challenge), rpId, allowCredentials: listed(allow), userVerification: 'required', timeout },
    });
    const { clientDataJSON, authenticatorData, signature } = response;
    return JSON.stringify({
      id,
      response: { clientDataJSON: base64url(clientDataJSON), authenticatorData: base64url(authenticatorData), signature: base64url(signature) },
    });
  }

  async function made({ rpId, create, user, name, allow }) {
    const { id, response } = await navigator.credentials.create({
      publicKey: {
        challenge: bytes(create),
        rp: { id: rpId, name: 'Countersign' },
        user: { id: bytes(user), name, displayName: name },
        pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key', alg })),
        authenticatorSelection: { userVerification: 'required', residentKey: 'preferred' },
        excludeCredentials: listed(allow),
        attestation: 'direct',
        timeout,
      },
    });
    const transports = response.getTransports ? response.getTransports() : [];
    return JSON.stringify({
      id,
      response: { clientDataJSON: base64url(response.clientDataJSON), attestationObject: base64url(response.attestationObject), transports },
    });
  }

  // Each fills the fields of its form.
  const ceremonies = {
    async sign(form) {
      return { proof: await signed(await asked(form, form.dataset.options)) };
    },
    async enrol(form) {
      const options = await asked(form, form.dataset.options);
      const vouch = form.elements.grant.value === '' && options.allow.length > 0 ? await signed(options) : '';
      return { vouch, challenge: options.create, credential: await made(options) };
    },
  };

  const words = (error) =>
    error.name === 'NotAllowedError' || error.name === 'AbortError'
      ? 'Nothing was done: the passkey was not used, or took too long.'
      : error.name === 'InvalidStateError'
        ? 'This device has a passkey for you already.'
        : error.name === 'SecurityError'
          ? 'Passkeys do not work at this address.'
          : error.message;

  // The page may have been refreshed meanwhile: the form is looked up again.
  const tell = (id, text) => {
    const place = document.querySelector('#' + id + ' [data-say]');
    if (place === null) return;
    place.textContent = text;
    place.hidden = text === '';
  };

  async function perform(form) {
    const { id } = form;
    const { origin } = form.dataset;
    if (location.origin !== origin) return tell(id, 'Passkeys work only under the gate’s own name. Open this page at ' + origin + location.pathname);
    if (!window.PublicKeyCredential) return tell(id, 'This browser has no passkeys.');
    tell(id, 'Use your passkey now.');
    try {
      const fields = await ceremonies[form.dataset.ceremony](form);
      const now = document.getElementById(id);
      if (now === null) return;
      for (const [name, value] of Object.entries(fields)) now.elements[name].value = value;
      tell(id, '');
      now.dataset.done = 'yes';
      now.requestSubmit();
    } catch (error) {
      tell(id, words(error));
    }
  }

  addEventListener(
    'submit',
    (event) => {
      const form = event.target;
      if (form.dataset.ceremony === undefined) return;
      if (form.dataset.done === 'yes') {
        // Once: what is refused is signed anew.
        delete form.dataset.done;
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      void perform(form);
    },
    true,
  );

  // A granted enrolment comes in a link, after the part that servers are told.
  const granted = document.getElementById('enrol-grant');
  if (granted !== null && location.hash.startsWith('#cs_enrolment_')) {
    granted.value = location.hash.slice(1);
    history.replaceState(null, '', location.pathname);
  }
}
`;
