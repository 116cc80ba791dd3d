import { z } from "zod";
import { afterReading, type Clock } from "@datawire/runtime";
import { Agent, type Dispatcher } from "undici";
import { EtcdError, exchangeError, readEtcdError } from "./etcd-error.ts";

/** Where etcd is and as whom it is spoken to. */
export interface EtcdConfig {
  /** URLs of members of one cluster; never empty. */
  readonly endpoints: readonly string[];
  readonly user: { readonly name: string; readonly password: string } | null;
  /** Contents in PEM; null verifies `https:` endpoints with the system's authorities. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | null;
}

/** How one call of the gateway may be repeated, and how long it may take. */
export interface CallOptions {
  /**
   * Whether the request is idempotent: if so, the next endpoint is tried where it is unknown what became of an attempt.
   */
  readonly idempotent: boolean;
  readonly timeoutMs?: number;
}

/** A request of ours. */
interface Asked {
  readonly body: unknown;
  readonly token: string | null;
}

const CONNECT_MS_MAX = 1_000;
/** Etcd itself gives up after 7 s; by then a person has stopped waiting. */
const CALL_MS_MAX = 3_000;

/**
 * The JSON gateway of etcd (3.4 and newer) over HTTP. It stays with one endpoint while that answers, and goes on to the
 * next one when it does not.
 */
export class Gateway {
  readonly #config: EtcdConfig;
  readonly #clock: Clock;
  readonly #agent: Dispatcher;
  #current = 0;
  /** The token of the configured user, for all that asks at the same time. */
  #token: Promise<string> | null = null;

  constructor(config: EtcdConfig, { clock }: { readonly clock: Clock }) {
    this.#config = config;
    this.#clock = clock;
    // A hung endpoint must not hold back what is asked of it later: pipelining would queue it behind.
    this.#agent = new Agent({
      connect: { ...config.tls, timeout: CONNECT_MS_MAX },
      pipelining: 1,
      headersTimeout: 0, // each call has a time limit of its own
      bodyTimeout: 0,
    });
  }

  /** Which of the endpoints is asked now. */
  get endpoint(): number {
    return this.#current;
  }

  /**
   * Asks for one answer.
   * @throws EtcdError
   */
  async call(path: string, body: unknown, { idempotent, timeoutMs = CALL_MS_MAX }: CallOptions): Promise<unknown> {
    let last: EtcdError | null = null;
    for (let attempt = 0; attempt < this.#config.endpoints.length; attempt++) {
      const endpoint = this.#current;
      try {
        return await this.#authenticated((token) => this.#exchange(endpoint, path, { body, token, timeoutMs }));
      } catch (cause) {
        // Whatever an answer holds, it is etcd that could not be asked, and nothing of ours.
        const error =
          cause instanceof EtcdError ? cause : exchangeError(this.#url(endpoint), cause, { timedOut: false });
        last = error;
        if (error.code !== "unavailable" && error.code !== "uncertain") throw error;
        this.#leave(endpoint);
        if (error.code === "uncertain" && !idempotent) throw error;
      }
    }
    throw last ?? new Error("Cannot call etcd: there is no endpoint");
  }

  /**
   * Opens a stream of answers and gives each `result` as it comes; ends when etcd or the signal ends it.
   * @throws EtcdError
   */
  async *stream(path: string, body: unknown, signal: AbortSignal): AsyncGenerator {
    const endpoint = this.#current;
    const url = this.#url(endpoint);
    const cut = new AbortController();
    const abort = (): void => cut.abort();
    signal.addEventListener("abort", abort, { once: true });
    let opened = false;
    const cancelTimer = this.#clock.setTimer(CALL_MS_MAX, () => opened || cut.abort());
    try {
      const response = await this.#authenticated((token) =>
        this.#request(endpoint, path, { body, token, signal: cut.signal }),
      );
      for await (const line of linesOf(response.body)) {
        opened = true;
        const { result, error } = JSON.parse(line) as { readonly result?: unknown; readonly error?: unknown };
        if (error !== undefined) throw readEtcdError(200, typeof error === "object" ? error : { error });
        yield result;
      }
    } catch (cause) {
      if (signal.aborted) return;
      this.#leave(endpoint);
      throw exchangeError(url, cause, { timedOut: cut.signal.aborted });
    } finally {
      cancelTimer();
      signal.removeEventListener("abort", abort);
      cut.abort();
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #exchange(
    endpoint: number,
    path: string,
    { timeoutMs, ...asked }: Asked & { readonly timeoutMs: number },
  ): Promise<unknown> {
    const limit = new AbortController();
    // If this process was busy, etcd is not to blame for the delay.
    const cancelTimer = this.#clock.setTimer(timeoutMs, () => afterReading(() => limit.abort()));
    try {
      const response = await this.#request(endpoint, path, { ...asked, signal: limit.signal });
      return await response.body.json();
    } catch (cause) {
      throw exchangeError(this.#url(endpoint), cause, { timedOut: limit.signal.aborted });
    } finally {
      cancelTimer();
    }
  }

  async #request(
    endpoint: number,
    path: string,
    { body, token, signal }: Asked & { readonly signal: AbortSignal },
  ): Promise<Dispatcher.ResponseData> {
    const response = await this.#agent.request({
      origin: this.#url(endpoint),
      path,
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(token === null ? {} : { authorization: token }),
      },
      body: JSON.stringify(body),
      signal,
    });
    if (response.statusCode === 200) return response;
    const text = await response.body.text();
    throw readEtcdError(response.statusCode, parsed(text));
  }

  /** Gives up the token, as an answer says otherwise than by its status that it no longer holds. */
  forgetToken(): void {
    this.#token = null;
  }

  /** Carries out a request as the configured user, whose token may have run out. */
  async #authenticated<T>(request: (token: string | null) => Promise<T>): Promise<T> {
    const { user } = this.#config;
    if (user === null) return request(null);
    const token = this.#token ?? this.#authenticate(user);
    try {
      return await request(await token);
    } catch (error) {
      if (!(error instanceof EtcdError) || error.code !== "unauthenticated") throw error;
      // Others whose requests were refused as well may have got a new one by now.
      const next = this.#token === token || this.#token === null ? this.#authenticate(user) : this.#token;
      return request(await next);
    }
  }

  #authenticate({ name, password }: NonNullable<EtcdConfig["user"]>): Promise<string> {
    const options = { body: { name, password }, token: null, timeoutMs: CALL_MS_MAX };
    const token = this.#exchange(this.#current, "/v3/auth/authenticate", options).then((answer) => {
      const read = tokenSchema.safeParse(answer);
      if (read.success) return read.data.token;
      throw new EtcdError("refused", "etcd gave no token for its user and password");
    });
    this.#token = token;
    token.catch(() => {
      if (this.#token === token) this.#token = null;
    });
    return token;
  }

  /** Goes on to the next endpoint, if this one is still the current one. */
  #leave(endpoint: number): void {
    if (endpoint === this.#current) this.#current = (endpoint + 1) % this.#config.endpoints.length;
  }

  #url(endpoint: number): string {
    return this.#config.endpoints[endpoint] as string;
  }
}

const tokenSchema = z.object({ token: z.string() });

/** Of one answer of a watch: etcd puts at most a thousand revisions into one. */
const LINE_LENGTH_MAX = 256 * 1024 * 1024;

async function* linesOf(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  let length = 0;
  for await (const chunk of body) {
    const pieces = decoder.decode(chunk, { stream: true }).split("\n");
    for (const [i, piece] of pieces.entries()) {
      if (i > 0) {
        const line = parts.join("");
        if (line !== "") yield line;
        parts = [];
        length = 0;
      }
      parts.push(piece);
      length += piece.length;
    }
    if (length > LINE_LENGTH_MAX) throw new EtcdError("unavailable", `its answer is longer than ${LINE_LENGTH_MAX}`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { error: text.slice(0, 200) };
  }
}
