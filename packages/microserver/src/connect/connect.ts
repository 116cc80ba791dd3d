import { anonymousClient, type ConnectionSettings, externalClient, plainClient } from "@datawire/amqp";
import { parseToken, REDIRECT_CAPABILITY } from "@datawire/protocol";
import { describeError, systemChance, systemClock } from "@datawire/runtime";
import { abortedError, MicroserverError } from "../core/microserver-error.ts";
import { openProperties, type SelfDescription } from "../core/open-properties.ts";
import type { Stall } from "../core/stalls.ts";
import { Hub, type HubDeps, type InstancePlace } from "../links/hub.ts";
import { Outbox, type OutboxLimits } from "../outbox/outbox.ts";
import { OutboxFolder } from "../outbox/outbox-folder.ts";
import { type Proof, tellingOfLogin } from "../transport/login.ts";
import { isThisMachine, parseRouterUrl, type RouterUrl } from "../transport/router-url.ts";
import { serving } from "../serving/serve.ts";
import { driveSocket, openSocket } from "../transport/socket-wire.ts";
import type { Dial } from "../transport/wire.ts";
import type { Microserver } from "../app/microserver.ts";
import { RunningMicroserver } from "../app/running-microserver.ts";

/** How instances that take links themselves are spoken to. */
export interface DirectOptions {
  /** Default: the name of the microserver. */
  readonly user?: string;
  /** A password or token of theirs. What proves us to the router is not shown to them. */
  readonly password?: string;
  /** Authorities to trust instead of the system's, PEM. Default: those of the router. */
  readonly ca?: string;
  /** A certificate with its key, PEM, for those with `tls.clientCa`. Default: that for the router. */
  readonly cert?: string;
  readonly key?: string;
}

/** How to connect; nothing has to be said. */
export interface ConnectOptions extends SelfDescription {
  /** The router: `amqp://HOST[:PORT]`, or `amqps:` for TLS. Default `DATAWIRE_ROUTER`, else `amqp://localhost:5672`. */
  readonly url?: string;
  /** What this microserver is called: kept subscriptions and pipelines are known by it. Default: a name used once. */
  readonly name?: string;
  /**
   * Of a directory or router: only over TLS, or on this machine. Where it names the authority of a directory, as tokens of one with
   * TLS do, a router with a certificate of that is believed without `ca`.
   */
  readonly token?: string;
  /** Authorities to trust instead of the system's and that of the token, PEM. */
  readonly ca?: string;
  /** A certificate with its key, PEM, for a router with `tls.client_ca`: without a token, its CN says who we are there. */
  readonly cert?: string;
  readonly key?: string;
  /**
   * Whether what is sent to a service goes to one of its instances directly, so that no router is in the way, and what proves
   * us there: over TLS, or on this machine alone. Default: false.
   */
  readonly direct?: boolean | DirectOptions;
  /** Closes the microserver at once: all that waits rejects with `closed`. */
  readonly signal?: AbortSignal;
  /** Where messages wait until they are accepted: in memory (default), or in a folder of this process alone, which outlives it. */
  readonly outbox?: string | ({ readonly folder?: string } & Partial<OutboxLimits>);
  /** Called once for each link on which nothing has moved for `stallMs`. */
  readonly onStall?: (stall: Stall) => void;
  /** Milliseconds; default 5,000. */
  readonly stallMs?: number;
}

const LIMITS: OutboxLimits = { messages: 100_000, bytes: 268_435_456 };

/**
 * Makes a microserver. It does not wait for the router, which may come and go.
 * @throws MicroserverError `invalid_argument` for options that cannot be, `storage` for a folder that cannot be used.
 */
export async function connect(options: ConnectOptions = {}): Promise<Microserver> {
  const url = readUrl(options.url ?? (process.env["DATAWIRE_ROUTER"] || "amqp://localhost:5672"));
  const settings = settingsOf(url, options);
  const { signal, ca, cert, key, outbox: kept } = options;
  const fingerprint = fingerprintIn(options.token ?? url.password);
  if (signal?.aborted === true) throw abortedError("connect", signal);
  const router = `${url.isTls ? "amqps" : "amqp"}://${url.host}:${url.port}`;
  const proof: Proof = options.token !== undefined ? "token" : url.password === null ? null : "password";
  const wanted = "the option token, or a user and password in the url (amqp://USER:PASSWORD@HOST)";
  const dial: Dial = async (settings, events, signal) => {
    try {
      const socket = await openSocket(url, { ca, fingerprint, cert, key, signal });
      return driveSocket(socket, settings, tellingOfLogin(events, { router, proof, wanted }));
    } catch (error) {
      throw new Error(`Cannot reach the router at ${url.host}:${url.port}: ${describeError(error)}`, { cause: error });
    }
  };
  const { folder, ...limits } = typeof kept === "string" ? { folder: kept } : (kept ?? {});
  const opened = folder === undefined ? null : await OutboxFolder.open(folder);
  const hub = new Hub(settings, {
    dial,
    ...directly(options),
    clock: systemClock,
    chance: systemChance,
  });
  const microserver = new RunningMicroserver({
    hub,
    outbox: new Outbox(hub, { ...LIMITS, ...limits }, opened?.store, opened?.left),
    name: options.name ?? null,
    router,
    serve: serving({
      name: options.name ?? null,
      version: options.version ?? null,
      instance: options.instance ?? null,
      token: options.token ?? null,
    }),
    container: settings.open.containerId,
    onStall: options.onStall ?? null,
    stallMs: options.stallMs ?? 5_000,
  });
  signal?.addEventListener("abort", () => void microserver.end(), { once: true });
  return microserver;
}

/** How to go to instances; nothing where the router is not to name any. */
function directly({ direct = false, name, ca, cert, key }: ConnectOptions): Pick<HubDeps, "dialAt" | "instanceSasl"> {
  if (direct === false) return {};
  const { user = name ?? "microserver", password, ...trust } = { ca, cert, key, ...(direct === true ? {} : direct) };
  const dialAt =
    (place: InstancePlace): Dial =>
    async (settings, events, signal) => {
      if (password !== undefined && !place.isTls && !isThisMachine(place.host))
        throw new Error(`Cannot send a password to ${place.host} without TLS: wanted an instance at amqps://`);
      return driveSocket(await openSocket(place, { ...trust, signal }), settings, events);
    };
  return { dialAt, ...(password !== undefined && { instanceSasl: [plainClient(user, password)] }) };
}

/** Of the authority that a token names; null for what is none, such as the password of a user. */
function fingerprintIn(token: string | null): string | null {
  try {
    return token === null ? null : parseToken(token).fingerprint;
  } catch {
    return null;
  }
}

function readUrl(text: string): RouterUrl {
  try {
    return parseRouterUrl(text);
  } catch (error) {
    throw new MicroserverError("invalid_argument", (error as Error).message, { cause: error });
  }
}

function settingsOf(
  url: RouterUrl,
  { name, token, cert, key, direct = false, ...self }: ConnectOptions,
): ConnectionSettings {
  const password = token ?? url.password;
  const user = url.user ?? name ?? "microserver";
  if (password !== null && !url.isTls && !isThisMachine(url.host)) {
    throw new MicroserverError(
      "invalid_argument",
      `Cannot send a password or token to ${url.host} without TLS: wanted amqps://, or a router on this machine`,
    );
  }
  const ofDirect = typeof direct === "object" ? direct : {};
  for (const pair of [{ cert, key }, ofDirect]) {
    if ((pair.cert === undefined) === (pair.key === undefined)) continue;
    throw new MicroserverError("invalid_argument", "Cannot connect: cert and key go together, wanted both or neither");
  }
  const shown = cert !== undefined && url.isTls ? [externalClient(), anonymousClient()] : null;
  const mechanisms = password !== null ? [plainClient(user, password), anonymousClient()] : shown;
  const properties = openProperties(self);
  return {
    role: "client",
    open: {
      containerId: name ?? `microserver-${systemChance.id()}`,
      hostname: url.host,
      ...(properties !== undefined && { properties }),
      ...(direct !== false && { desiredCapabilities: [REDIRECT_CAPABILITY] }),
    },
    ...(mechanisms !== null && { saslClients: mechanisms }),
  };
}
