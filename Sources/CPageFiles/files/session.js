// SPDX-License-Identifier: Apache-2.0
// Who looks: a token of the backend, or of an OpenID Connect issuer by the authorization code flow with PKCE (RFC 7636).
// What lets in is kept in the tab's session storage, goes to the backend alone, and is in no address.

const element = (id) => document.getElementById(id);
const { issuer, client } = document.body.dataset;
const kept = (name) => sessionStorage.getItem(name);
const keep = (values) => {
  for (const [name, value] of Object.entries(values)) {
    if (value) sessionStorage.setItem(name, value); else sessionStorage.removeItem(name);
  }
};
let entered = () => {};
let left = () => {};
/** Counts who left, so that a token that was on its way to somebody who is gone is not kept. */
let generation = 0;
let renewing = null;

/** Something that went wrong, in words for whoever looks; `isLeft` where nobody is signed in any more. */
class Trouble extends Error {
  constructor(message, isLeft = false) {
    super(message);
    this.isLeft = isLeft;
  }
}

/** Forgets who looks, and asks anew. */
export const leave = (reason) => {
  generation += 1;
  revoke(kept("refresh"));
  keep({ token: null, refresh: null });
  left();
  element("refused").textContent = reason;
  element("refused").hidden = !reason;
  element("enter").hidden = false;
  element("leave").hidden = true;
  element("token").focus();
};

const base64 = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => base64(crypto.getRandomValues(new Uint8Array(32)));
const here = () => location.origin + location.pathname;

const endpoints = async () => {
  const answer = await fetch(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  if (!answer.ok) throw new Trouble(`${issuer} answered ${answer.status}.`);
  return answer.json();
};

/** Goes to the issuer, to come back with a code. */
const goToIssuer = async () => {
  if (!isSecureContext) throw new Trouble("Signing in needs https, or the address 127.0.0.1.");
  const [verifier, state] = [random(), random()];
  const challenge = base64(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
  keep({ verifier, state, view: location.hash });
  const query = new URLSearchParams({
    response_type: "code", client_id: client, redirect_uri: here(), scope: "openid", state,
    code_challenge: challenge, code_challenge_method: "S256",
  });
  const address = new URL((await endpoints()).authorization_endpoint);
  for (const [name, value] of query) address.searchParams.set(name, value);
  location.assign(address);
};

const trade = async (parameters) => {
  const began = generation;
  const answer = await fetch((await endpoints()).token_endpoint, {
    method: "POST", body: new URLSearchParams({ client_id: client, ...parameters }),
  });
  if (!answer.ok) throw new Trouble("The issuer gave no token. Sign in again.");
  const { access_token: token, refresh_token: refresh } = await answer.json();
  if (began !== generation) return revoke(refresh);
  keep({ token, refresh });
};

/** Renews the token, once for all who ask meanwhile: a refresh token may be good once. */
const renew = () => {
  renewing ??= trade({ grant_type: "refresh_token", refresh_token: kept("refresh") }).finally(() => { renewing = null; });
  return renewing;
};

/** Tells the issuer that a token is used no more (RFC 7009), where it has a place for that. */
const revoke = (token) => {
  if (!token) return;
  endpoints().then(({ revocation_endpoint: place }) => place && fetch(place, {
    method: "POST", body: new URLSearchParams({ client_id: client, token, token_type_hint: "refresh_token" }),
  })).catch(() => { /* It ends by itself. */ });
};

/** Takes the code that the issuer sent along, where it is the one that was asked for. */
const comeBack = async () => {
  const query = new URLSearchParams(location.search);
  // What this tab did not ask for is nothing to it.
  if (!query.has("state")) return;
  if (kept("token")) return history.replaceState(null, "", here() + location.hash);
  const [state, verifier, view] = [kept("state"), kept("verifier"), kept("view")];
  keep({ state: null, verifier: null, view: null });
  history.replaceState(null, "", here() + (view ?? ""));
  if (!state || query.get("state") !== state) throw new Trouble("That was not the answer to a sign-in of this tab. Sign in again.");
  if (!query.has("code")) throw new Trouble(`The issuer refused: ${query.get("error_description") ?? query.get("error")}.`);
  await trade({ grant_type: "authorization_code", code: query.get("code"), redirect_uri: here(), code_verifier: verifier });
};

const ask = (path, options) => fetch(path, { ...options, cache: "no-store", headers: { Authorization: `Bearer ${kept("token")}` } });

/** An answer of the backend, by a renewed token where the old one is over. */
const answer = async (path, options = {}) => {
  let response = await ask(path, options);
  if (response.status === 401 && kept("refresh")) {
    try {
      await renew();
      response = await ask(path, options);
    } catch { /* The first answer stands. */ }
  }
  if (response.ok) return response;
  const reason = await response.json().then(({ error }) => error, () => "no reason");
  if (response.status === 401) {
    leave(`The token does not let in: ${reason}.`);
    throw new Trouble(reason, true);
  }
  const later = response.headers.get("Retry-After");
  throw new Trouble(`${reason} (${response.status})${later ? `; come again in ${later} s` : ""}.`);
};

/** What the backend answers to a path of /v1/. */
export const request = async (path) => (await answer(path)).json();

const pause = (milliseconds, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, milliseconds);
  signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); });
});

const readLines = async (response, take) => {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line) take(JSON.parse(line));
  }
};

/** Lines that the backend sends as things happen, again and again; what it gives ends that. */
export const watch = (path, take, tell) => {
  const control = new AbortController();
  const { signal } = control;
  (async () => {
    while (!signal.aborted) {
      try {
        await readLines(await answer(path, { signal }), take);
      } catch (trouble) {
        if (signal.aborted || trouble.isLeft) return;
        tell(`${trouble.message} Trying again.`);
      }
      await pause(2000, signal);
    }
  })();
  return control;
};

/** Whether somebody is signed in. */
export const isIn = () => kept("token") !== null;

/** Lets somebody in, and then runs what shows something; the other body runs when nobody is in any more. */
export const enter = async (body, gone) => {
  left = gone;
  entered = () => {
    element("enter").hidden = true;
    element("leave").hidden = false;
    body();
  };
  element("by-token").addEventListener("submit", (event) => {
    event.preventDefault();
    keep({ token: element("token").value.trim(), refresh: null });
    element("token").value = "";
    entered();
  });
  element("by-issuer")?.addEventListener("click", () => goToIssuer().catch(({ message }) => leave(message)));
  try {
    await comeBack();
  } catch (trouble) {
    return leave(trouble.message);
  }
  if (kept("token")) entered(); else leave("");
};
