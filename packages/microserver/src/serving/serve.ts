import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describeError } from "@datawire/runtime";
import { Inbox } from "../app/inbox.ts";
import type { Serve, ServedPort, ServeOptions } from "../app/served-port.ts";
import type { Message } from "../core/message.ts";
import { MicroserverError } from "../core/microserver-error.ts";
import { isThisMachine } from "../transport/router-url.ts";
import { Caller } from "./caller.ts";
import { register, type Registered, type Registrant } from "./register.ts";
import { Slots } from "./slots.ts";

/** Takes links on ports of this process, which the directory is told of. */
export function serving(registrant: Registrant): Serve {
  return async (at, work, options, { container, newId }) => {
    const address = nameOf(at);
    const { server, url } = await open(at, address, options);
    const { concurrency = 10 } = options;
    const slots = new Slots(concurrency);
    const callers = new Set<Caller>();
    const callerOf = new WeakMap<Message, Caller>();
    const inbox = new Inbox((message, identity, context) => {
      const answer = callerOf.get(message)?.answer ?? (() => false);
      return slots.run(() => work(answer)(message, identity, context));
    });
    server.on("error", () => {});
    server.on(options.tls === undefined ? "connection" : "secureConnection", (socket: Socket) => {
      const caller = new Caller(socket, {
        address,
        container,
        credit: concurrency,
        newId,
        ...(options.allow !== undefined && { allow: options.allow }),
        take: (delivery, message, identity, from) => {
          callerOf.set(message, from);
          return inbox.take(delivery, message, identity);
        },
      });
      callers.add(caller);
      void caller.closed.then(() => callers.delete(caller));
    });
    const registered = options.isRegistered === false ? null : await register(registrant, { address, url, options });
    return new Port(url, { server, callers, inbox, registered });
  };
}

interface PortParts {
  readonly server: Server;
  readonly callers: ReadonlySet<Caller>;
  readonly inbox: Inbox;
  readonly registered: Registered | null;
}

class Port implements ServedPort {
  readonly address: string;
  readonly #parts: PortParts;
  #closing: Promise<void> | null = null;
  onClosed: () => void = () => {};

  constructor(address: string, parts: PortParts) {
    this.address = address;
    this.#parts = parts;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  abandon(): void {
    const { inbox, callers, server } = this.#parts;
    inbox.abandon();
    server.close();
    for (const caller of callers) caller.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { server, callers, inbox, registered } = this.#parts;
    // First nobody is sent here any more, then it stops.
    await registered?.withdraw();
    const ended = new Promise((resolve) => server.close(resolve));
    for (const caller of callers) caller.pause();
    await inbox.idle();
    await Promise.all([...callers].map((caller) => caller.close()));
    await ended;
    await registered?.stop();
    this.onClosed();
  }
}

async function open(
  at: string,
  address: string,
  { port = 0, host = "127.0.0.1", tls }: ServeOptions,
): Promise<{ readonly server: Server; readonly url: string }> {
  if (tls === undefined && !isThisMachine(host)) {
    const wanted = "wanted tls: { cert, key }, or a host of this machine";
    throw new MicroserverError("invalid_argument", `Cannot serve ${at} at ${host} without TLS: ${wanted}`);
  }
  const server = makeServer(at, tls);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      const why = `Cannot serve ${at} at ${host}:${port}: ${describeError(error)}`;
      reject(new MicroserverError("invalid_argument", why, { cause: error }));
    });
    server.listen({ host, port }, resolve);
  });
  const shown = host.includes(":") ? `[${host}]` : host;
  const bound = (server.address() as AddressInfo).port;
  return { server, url: `${tls === undefined ? "amqp" : "amqps"}://${shown}:${bound}/${address}` };
}

function makeServer(at: string, tls: ServeOptions["tls"]): Server {
  if (tls === undefined) return createServer();
  try {
    const { clientCa, ...own } = tls;
    const clients = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
    return createTlsServer({ ...own, ...clients, minVersion: "TLSv1.2", handshakeTimeout: 5_000 });
  } catch (error) {
    const why = `Cannot serve ${at} with that certificate and key: ${describeError(error)}`;
    throw new MicroserverError("invalid_argument", why, { cause: error });
  }
}

/** @throws MicroserverError */
function nameOf(at: string): string {
  const name = /^(?:\/\/)?(?:services\/)?([A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?)$/.exec(at)?.[1];
  if (name !== undefined) return name;
  const wanted = "wanted the name of a service, such as //barker";
  throw new MicroserverError("invalid_argument", `Cannot serve ${JSON.stringify(at)}: ${wanted}`);
}
