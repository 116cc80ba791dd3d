import { type ApiClient, createApiClient } from "@datawire/api";
import { patientFetch, type WholeAnswer } from "./patient-fetch.ts";
import { Refusal, refusalOf, Unchanged, Unreachable } from "./refusal.ts";
import { Store } from "./store.ts";

/** Who is signed in, as `GET /v1/session` says it. */
export interface Session {
  readonly auth: "none" | "session" | "token";
  readonly role: string;
  readonly token: string | null;
  readonly tenant: string | null;
  readonly rights: readonly string[];
  readonly expires: string | null;
  readonly csrf: string | null;
}

/** Whom a session stands for: two of one token see the same. */
export const whoIs = (session: Session | null): string =>
  JSON.stringify(session === null ? null : [session.token, session.role, session.tenant]);

/** How the console stands with its directory. */
export type Phase = "loading" | "ready" | "offline" | "signed-out";

/** What a connection is about right now. */
export interface ConnectionState {
  readonly phase: Phase;
  readonly session: Session | null;
  /** When the directory last answered; null before its first answer. */
  readonly seenAt: number | null;
}

interface ExchangeOptions {
  readonly body?: unknown;
  readonly ifMatch?: string | null;
  /** What the last answer was known by; left out where each is wanted whole. */
  readonly last?: { tag: string | null };
}

const UNCHANGED = 304;
/** How long a directory may be silent, before its answer and within it. */
const SILENCE_MS_MAX = 10_000;
const RETRY_MS = 1_000;

/** The session with the directory that served this page, and every request to it. */
export class Connection {
  readonly state = new Store<ConnectionState>({ phase: "loading", session: null, seenAt: null });
  /** Asks the directory; each answer has the shape that its endpoint promises. */
  readonly client: ApiClient = this.clientFor(null);
  readonly #root: URL;
  #retry: ReturnType<typeof setTimeout> | null = null;

  /** @param root the address of the directory's own root, which ends with a slash. */
  constructor(root: URL) {
    this.#root = root;
  }

  /** A client whose changes are refused where routes have changed since a revision, written `EPOCH.REVISION`. */
  clientFor(ifMatch: string | null): ApiClient {
    return createApiClient((method, path, body) => this.#exchange(method, path, { body, ifMatch }));
  }

  /** A client for one question, which throws Unchanged where the answer is the one that it had before. */
  rememberingClient(): ApiClient {
    const last = { tag: null };
    return createApiClient((method, path, body) => this.#exchange(method, path, { body, last }));
  }

  /** The address of a path of the directory, such as `/v1/stream`. */
  urlOf(path: string): URL {
    return new URL(path.replace(/^\//, ""), this.#root);
  }

  /** Finds out who is signed in; with a code of `dw console`, signs in by it first. */
  async start(code: string | null): Promise<void> {
    try {
      const session =
        code === null
          ? await this.#exchange("GET", "/v1/session")
          : await this.#exchange("POST", "/v1/session", { body: { code } });
      this.#enter(session as Session);
    } catch (error) {
      // A code that is used up says nothing of the session that is there already.
      if (code !== null && error instanceof Refusal) return this.start(null);
      if (error instanceof Refusal) this.#leave();
    }
  }

  /** Signs in with a token. @throws Refusal what the directory says of it */
  async signIn(token: string): Promise<void> {
    this.#enter((await this.#exchange("POST", "/v1/session", { body: { token } })) as Session);
  }

  /** Ends the session; one that another tab has ended, or replaced, is looked at anew. */
  async signOut(): Promise<void> {
    try {
      await this.#exchange("DELETE", "/v1/session");
      this.#leave();
    } catch (error) {
      if (error instanceof Refusal) await this.check();
    }
  }

  /** Asks whether the directory is there and the session holds. */
  async check(): Promise<void> {
    const { phase } = this.state.get();
    try {
      const session = (await this.#exchange("GET", "/v1/session")) as Session;
      const known = this.state.get().session;
      if (JSON.stringify(known) !== JSON.stringify(session)) this.#enter(session);
    } catch (error) {
      if (phase === "ready" && error instanceof Refusal && error.status === 401) this.#refused();
    }
  }

  /** Signed out, looks whether another tab has signed in since. */
  async lookAgain(): Promise<void> {
    if (this.state.get().phase !== "signed-out") return;
    try {
      const session = (await this.#exchange("GET", "/v1/session")) as Session;
      if (this.state.get().phase === "signed-out") this.#enter(session);
    } catch {
      // Nobody is signed in, or nobody answers: the page asks for a token.
    }
  }

  /** The session is over; what was on its way while another tab signed in anew says so too. */
  #refused(): void {
    this.#leave();
    setTimeout(() => void this.lookAgain(), RETRY_MS);
  }

  /** Takes note of an answer that came another way than by `client`. */
  seen(): void {
    const state = this.state.get();
    const phase = state.phase === "offline" && state.session !== null ? "ready" : state.phase;
    this.state.set({ ...state, phase, seenAt: Date.now() });
  }

  /** Takes note that the directory cannot be reached, and asks until it can. */
  lost(): void {
    const state = this.state.get();
    if (state.phase === "signed-out") return;
    if (state.phase !== "offline") this.state.set({ ...state, phase: "offline" });
    if (this.#retry !== null) return;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      void this.start(null);
    }, RETRY_MS);
  }

  #enter(session: Session): void {
    this.state.set({ phase: "ready", session, seenAt: Date.now() });
  }

  #leave(): void {
    this.state.set({ phase: "signed-out", session: null, seenAt: null });
  }

  async #exchange(method: string, path: string, { body, ifMatch, last }: ExchangeOptions = {}): Promise<unknown> {
    const headers = new Headers({ accept: "application/json" });
    if (body !== undefined) headers.set("content-type", "application/json");
    const csrf = this.state.get().session?.csrf ?? null;
    if (csrf !== null && method !== "GET") headers.set("x-datawire-csrf", csrf);
    if (ifMatch !== null && ifMatch !== undefined) headers.set("if-match", `"${ifMatch}"`);
    if (last !== undefined && last.tag !== null) headers.set("if-none-match", last.tag);
    const { response, text } = await this.#fetch(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.status === UNCHANGED) {
      this.seen();
      throw new Unchanged("It is as it was");
    }
    if (response.ok) {
      this.seen();
      if (last !== undefined) last.tag = response.headers.get("etag");
      return response.status === 204 ? null : JSON.parse(text);
    }
    const refusal = refusalOf(response, text);
    if (refusal.status === 401 && path !== "/v1/session") this.#refused();
    else this.seen();
    throw refusal;
  }

  async #fetch(path: string, init: RequestInit): Promise<WholeAnswer> {
    try {
      const own: RequestInit = { ...init, credentials: "same-origin", cache: "no-store" };
      return await patientFetch(this.urlOf(path), own, SILENCE_MS_MAX);
    } catch (error) {
      this.lost();
      throw new Unreachable("The directory cannot be reached", { cause: error });
    }
  }
}
