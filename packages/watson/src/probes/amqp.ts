import {
  anonymousClient,
  type AmqpError,
  CONDITION,
  Connection,
  type ConnectionEvents,
  QUIET_EVENTS,
} from "@datawire/amqp";
import type { Probe } from "../model/belief.ts";
import type { AmqpProbe } from "../model/service-definition.ts";
import { PASS } from "./expectation.ts";
import { openSocket } from "./open-socket.ts";
import type { Network, Prober } from "./prober.ts";
import { failure } from "./reason.ts";

/** How one try ended. `other-protocol`: the peer wants a login before AMQP, or none. */
type Outcome = "open" | "other-protocol" | { readonly refused: AmqpError | null };

/** Makes the prober that opens an AMQP connection, attaches to an address where that is wanted, and closes it. */
export function createAmqpProber(settings: AmqpProbe, network: Network): Prober {
  const host = settings.host.includes(":") ? `[${settings.host}]` : settings.host;
  const target = `${host}:${settings.port}`;
  /** Whether this peer is one that wants a login, as far as it has told. */
  let login = false;
  return {
    async probe(signal) {
      try {
        let outcome = await exchange(settings, network, { login, signal });
        if (outcome === "other-protocol") {
          login = !login;
          outcome = await exchange(settings, network, { login, signal });
        }
        return judge(outcome, settings.address, target);
      } catch (error) {
        return failure(error, target, network.note(settings.host));
      }
    },
    close() {},
  };
}

function judge(outcome: Outcome, address: string | null, target: string): Probe {
  if (outcome === "open") return PASS;
  if (outcome === "other-protocol") return { ok: false, reason: `no AMQP 1.0 from ${target}` };
  const { condition, description } = outcome.refused ?? { condition: "connection closed" };
  const why = description === undefined ? condition : `${condition} (${description.slice(0, DESCRIPTION_MAX)})`;
  const about = address === null ? "" : ` for ${JSON.stringify(address)}`;
  return { ok: false, reason: `${why} from ${target}${about}, wanted an open AMQP connection` };
}

/** What a peer says of its reasons is shown to operators, and may be anything. */
const DESCRIPTION_MAX = 200;

/** One connection from its first byte to its last; rejects where the transport fails. */
function exchange(
  { host, port, secure, address, tls }: AmqpProbe,
  network: Network,
  { login, signal }: { readonly login: boolean; readonly signal: AbortSignal },
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const origin = new URL(`${secure ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`);
    const socket = openSocket({ origin, tls, alpn: null, router: true }, network);
    const abort = (): void => void socket.destroy();
    signal.addEventListener("abort", abort, { once: true });
    const end = (settle: () => void): void => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
      settle();
    };
    let stood = false;
    let refused: AmqpError | null = null;
    const close = (): void => {
      stood = true;
      connection.close();
    };
    const events: ConnectionEvents = {
      ...QUIET_EVENTS,
      outputReady: () => queueMicrotask(write),
      opened() {
        if (address === null) return close();
        connection.begin().attachSender("watson", { source: {}, target: { address } });
      },
      linkAttached(link) {
        if (!link.refused) close();
      },
      linkDetached(_, { error }) {
        if (stood) return;
        refused = error;
        connection.close();
      },
      closed({ error }) {
        const condition = connection.remote === null ? error?.condition : undefined;
        const unlike = condition === CONDITION.framingError || (condition === CONDITION.unauthorizedAccess && !login);
        const outcome: Outcome =
          stood && error === null ? "open" : unlike ? "other-protocol" : { refused: refused ?? error };
        end(() => resolve(outcome));
      },
    };
    const connection = new Connection(
      {
        role: "client",
        open: { containerId: "watson", hostname: host },
        ...(login && { saslClients: [anonymousClient()] }),
      },
      events,
      performance.now(),
    );
    const write = (): void => {
      const bytes = connection.takeOutput(performance.now());
      if (bytes !== null && socket.writable) socket.write(bytes);
    };
    socket.on("data", (bytes) => connection.receive(bytes, performance.now()));
    socket.once("error", (error) => end(() => reject(error)));
    socket.once("close", () => connection.disconnected(stood ? null : { condition: "connection closed" }));
    connection.start();
  });
}
