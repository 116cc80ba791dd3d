import { createHash, generateKeyPairSync, X509Certificate } from "node:crypto";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { type Authority, certifyKey, createAuthority } from "@datawire/http/authority";
import {
  Connection,
  type ConnectionEvents,
  type ConnectionSettings,
  createSaslServer,
  QUIET_EVENTS,
} from "@datawire/amqp";
import { systemClock } from "@datawire/runtime";
import { afterEach, expect, test } from "vitest";
import { createAuthorities } from "../machine/authorities.ts";
import { createLookup } from "../machine/lookup.ts";
import { createTrafficLookup } from "../machine/traffic-lookup.ts";
import type { AmqpProbe } from "../model/service-definition.ts";
import { createProber } from "./create-prober.ts";
import type { Prober } from "./prober.ts";

const lookup = createLookup({ clock: systemClock });
const deps = {
  lookup,
  trafficLookup: createTrafficLookup(lookup),
  secureContext: createAuthorities(null, { clock: systemClock }),
  fingerprint: null,
  env: {},
};
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function listen(serve: (socket: Socket) => void, tls: TlsOptions | null = null): Promise<number> {
  const take = (socket: Socket): void => {
    closing.push(() => socket.destroy());
    serve(socket);
  };
  const server: Server = tls === null ? createServer(take) : createTlsServer(tls, take);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  closing.push(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const ignore = (): void => {};

/** A microserver that knows one address; `told` has what it was asked. */
function amqpServer(
  settings: Partial<ConnectionSettings>,
  told: string[],
  over: Partial<ConnectionEvents> = {},
  tls: TlsOptions | null = null,
) {
  return listen((socket) => {
    const events: ConnectionEvents = {
      ...QUIET_EVENTS,
      outputReady: () =>
        queueMicrotask(() => {
          const bytes = connection.takeOutput(0);
          if (bytes !== null) socket.write(bytes);
          if (connection.done) socket.end();
        }),
      opened: ({ containerId }) => told.push(`opened ${containerId}`),
      linkAsked(link) {
        const { target } = link.remote ?? {};
        const address = target?.type === "coordinator" ? undefined : target?.address;
        told.push(`asked ${address}`);
        if (address === "barker") link.accept();
        else link.refuse({ condition: "amqp:not-found", description: "no such address" });
      },
      closed: ({ by, error }) => told.push(`closed by ${by}${error === null ? "" : ` ${error.condition}`}`),
      ...over,
    };
    const connection = new Connection({ role: "server", open: { containerId: "barker" }, ...settings }, events, 0);
    socket.on("data", (bytes) => connection.receive(bytes, 0));
    socket.on("error", ignore);
    socket.on("close", () => connection.disconnected());
  }, tls);
}

const AT_HOME: Omit<AmqpProbe, "port"> = {
  kind: "amqp",
  host: "127.0.0.1",
  secure: false,
  tls: { verify: true, serverName: null },
  address: null,
  asTraffic: true,
};

const proberOf = (port: number, address: string | null = null): Prober =>
  createProber({ ...AT_HOME, port, address }, deps);

async function probe(prober: Prober, signal = new AbortController().signal): Promise<string> {
  const result = await prober.probe(signal);
  return result.ok ? "pass" : result.reason;
}

test("createAmqpProber() passes where a connection opens and closes", async () => {
  const told: string[] = [];
  expect(await probe(proberOf(await amqpServer({}, told)))).toBe("pass");
  expect(told).toEqual(["opened watson", "closed by peer"]);
});

test("createAmqpProber() knows a router by the authority that Watson's token names, and no other server by it", async () => {
  const [authority, other] = await Promise.all([1, 2].map(() => createAuthority(Date.now(), "directory")));
  const { privateKey: key, publicKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const certified = (by: typeof authority, name: string): Promise<string> =>
    certifyKey(by as Authority, { name, names: ["vm101"], publicKey }, Date.now());
  const fingerprint = createHash("sha256")
    .update(new X509Certificate(authority?.certificate ?? "").publicKey.export({ type: "spki", format: "der" }))
    .digest("base64url");
  const probed = async (cert: string, known: string | null): Promise<string> => {
    const port = await amqpServer({}, [], {}, { cert, key });
    const settings = { ...AT_HOME, port, secure: true };
    return probe(createProber(settings, { ...deps, fingerprint: known }));
  };
  const router = await certified(authority, "Datawire router");
  expect(await probed(router, fingerprint)).toBe("pass");
  expect(await probed(router, null)).toContain("certificate");
  expect(await probed(await certified(other, "Datawire router"), fingerprint)).toContain("certificate");
  expect(await probed(await certified(authority, "barker"), fingerprint)).toContain("certificate");
});

test("createAmqpProber() passes where a link attaches, and fails with the reason where it is refused", async () => {
  const told: string[] = [];
  const port = await amqpServer({}, told);
  expect(await probe(proberOf(port, "barker"))).toBe("pass");
  expect(await probe(proberOf(port, "meower"))).toBe(
    `amqp:not-found (no such address) from 127.0.0.1:${port} for "meower", wanted an open AMQP connection`,
  );
  expect(told.filter((each) => each.startsWith("asked"))).toEqual(["asked barker", "asked meower"]);
});

test("createAmqpProber() logs in as anybody where the peer wants a login, and remembers that", async () => {
  const told: string[] = [];
  let connections = 0;
  const port = await amqpServer({ saslServer: createSaslServer({ anonymous: "anonymous" }) }, told, {
    closed: () => connections++,
  });
  const prober = proberOf(port);
  expect([await probe(prober), await probe(prober)]).toEqual(["pass", "pass"]);
  expect(connections).toBe(3);
});

test("createAmqpProber() fails with the reason where the peer closes, or takes no anonymous login", async () => {
  const port = await amqpServer({}, [], { opened: () => {} });
  const full = await amqpServer({ peerIdleTimeoutMsMin: 1_000_000 }, []);
  expect(await probe(proberOf(full))).toMatch(/^amqp:not-allowed \(.*\) from 127\.0\.0\.1:\d+, wanted an open/);
  const closed = await amqpServer({ saslServer: createSaslServer({ plain: (_, __, answer) => answer(null) }) }, []);
  expect(await probe(proberOf(closed))).toMatch(/^amqp:unauthorized-access/);
  expect(await probe(proberOf(port))).toBe("pass");
});

test.each([
  ["speaks HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", /^no AMQP 1\.0 from/],
  ["closes at once", null, /^connection closed from 127\.0\.0\.1:\d+, wanted an open AMQP connection$/],
])("createAmqpProber() fails where the peer %s", async (_, answer, reason) => {
  const port = await listen((socket) => {
    socket.on("error", ignore);
    if (answer === null) socket.end();
    else socket.once("data", () => socket.end(answer));
  });
  expect(await probe(proberOf(port))).toMatch(reason);
});

test("createAmqpProber() fails where nothing listens, and lets go when it is aborted", async () => {
  const port = await listen(ignore);
  const controller = new AbortController();
  const waiting = probe(proberOf(port), controller.signal);
  controller.abort();
  expect(await waiting).not.toBe("pass");
  for (const close of closing.splice(0)) close();
  await expect.poll(() => probe(proberOf(port))).toBe(`connection refused by 127.0.0.1:${port}`);
});
