import { anonymousClient, type ConnectionSettings, plainClient } from "@datawire/amqp";
import { type Chance, sleepWith, type Clock } from "@datawire/runtime/time";
import type { Microserver } from "../app/microserver.ts";
import { RunningMicroserver } from "../app/running-microserver.ts";
import { abortedError, MicroserverError } from "../core/microserver-error.ts";
import { openProperties, type SelfDescription } from "../core/open-properties.ts";
import type { Stall } from "../core/stalls.ts";
import { Hub } from "../links/hub.ts";
import { Outbox, type OutboxLimits } from "../outbox/outbox.ts";
import { tellingOfLogin } from "../transport/login.ts";
import { driveWebSocket, openWebSocket } from "../transport/web-socket-wire.ts";
import type { Dial } from "../transport/wire.ts";

/** How to connect from a page; nothing has to be said. */
export interface ConnectOptions extends SelfDescription {
  /** The web port of a router: `wss://HOST[:PORT]/`. Default: where the page comes from. */
  readonly url?: string;
  /** What this microserver is called: kept subscriptions and pipelines are known by it. Default: a name used once. */
  readonly name?: string;
  /** Of a directory or router: only over TLS, or on this machine. */
  readonly token?: string;
  /** Closes the microserver at once: all that waits rejects with `closed`. */
  readonly signal?: AbortSignal;
  /** Bounds of what waits until it is accepted, in memory. */
  readonly outbox?: Partial<OutboxLimits>;
  /** Called once for each link on which nothing has moved for `stallMs`. */
  readonly onStall?: (stall: Stall) => void;
  /** Milliseconds; default 5,000. */
  readonly stallMs?: number;
}

const LIMITS: OutboxLimits = { messages: 10_000, bytes: 33_554_432 };

const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => sleepWith(setTimer, ms, signal),
  setTimer,
};

const chance: Chance = {
  number: Math.random,
  id: () => [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
};

/**
 * Makes a microserver of a page. It does not wait for the router, which may come and go.
 * @throws MicroserverError `invalid_argument` for options that cannot be.
 */
export async function connect(options: ConnectOptions = {}): Promise<Microserver> {
  const url = readUrl(options.url);
  const settings = settingsOf(url, options);
  const { signal, outbox: limits } = options;
  if (signal?.aborted === true) throw abortedError("connect", signal);
  const router = `${url.protocol}//${url.host}${url.pathname}`;
  const dial: Dial = async (settings, events, signal) => {
    try {
      const proof = options.token === undefined ? null : "token";
      const told = tellingOfLogin(events, { router, proof, wanted: "the option token" });
      return driveWebSocket(await openWebSocket(url.href, signal), settings, told);
    } catch (error) {
      throw new Error(`Cannot reach the router at ${url.host}: ${(error as Error).message}`, { cause: error });
    }
  };
  const hub = new Hub(settings, { dial, clock, chance });
  const microserver = new RunningMicroserver({
    hub,
    outbox: new Outbox(hub, { ...LIMITS, ...limits }),
    name: options.name ?? null,
    router,
    serve: null,
    container: settings.open.containerId,
    onStall: options.onStall ?? null,
    stallMs: options.stallMs ?? 5_000,
  });
  signal?.addEventListener("abort", () => void microserver.end(), { once: true });
  return microserver;
}

/** What of a page is known wherever there is one. */
interface Page {
  readonly location?: { readonly protocol: string; readonly host: string };
}

function readUrl(given: string | undefined): URL {
  const { location } = globalThis as Page;
  const text = given ?? (location === undefined ? "wss://localhost:3423/" : `https://${location.host}/`);
  const url = URL.canParse(text) ? new URL(text) : null;
  const scheme = url === null ? undefined : SCHEMES.get(url.protocol);
  if (url === null || scheme === undefined) {
    const shown = JSON.stringify(text.replace(/\/\/[^/@]*@/, "//…@"));
    const wanted = "wanted wss://HOST[:PORT]/";
    throw new MicroserverError("invalid_argument", `Cannot use ${shown} as the address of a router: ${wanted}`);
  }
  url.protocol = scheme;
  url.hash = "";
  return url;
}

const SCHEMES: ReadonlyMap<string, string> = new Map([
  ["wss:", "wss:"],
  ["https:", "wss:"],
  ["ws:", "ws:"],
  ["http:", "ws:"],
]);

function settingsOf(url: URL, { name, token, ...self }: ConnectOptions): ConnectionSettings {
  const isHere = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (token !== undefined && url.protocol !== "wss:" && !isHere) {
    const wanted = "wanted wss://, or a router on this machine";
    throw new MicroserverError("invalid_argument", `Cannot send a token to ${url.hostname} without TLS: ${wanted}`);
  }
  const properties = openProperties(self);
  return {
    role: "client",
    open: {
      containerId: name ?? `page-${chance.id()}`,
      hostname: url.hostname,
      ...(properties !== undefined && { properties }),
    },
    ...(token !== undefined && { saslClients: [plainClient(name ?? "page", token), anonymousClient()] }),
  };
}

function setTimer(ms: number, fn: () => void): () => void {
  const timer = setTimeout(fn, ms);
  return () => clearTimeout(timer);
}
