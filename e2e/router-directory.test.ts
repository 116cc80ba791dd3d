import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plainClient, type SaslClient, scramClient } from "@datawire/amqp";
import { endpoints } from "@datawire/api";
import { connect } from "@datawire/microserver";
import rhea from "rhea";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connectPeer, PeerServer } from "./harness/amqp/peer.ts";
import { freePorts } from "@datawire/runtime/testing";
import { RheaClient } from "./harness/router/rhea-client.ts";
import { RouterProcess } from "./harness/router/router-process.ts";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/** A router with its directory: real processes, and clients of others. */
let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

interface Routers {
  readonly routers: readonly {
    readonly address: string | null;
    readonly ports: { readonly admin: string | null };
    readonly queues: readonly { readonly address: string; readonly messages: number }[];
    readonly links: readonly { readonly direction: string }[];
    readonly counts: { readonly queues: number };
  }[];
}

test("a router is found through its directory, and goes on without it", async () => {
  const directory = await stack.startDirectory();
  const settings = { directories: [await stack.directoryAddress()] };
  const router = await RouterProcess.start(stack, settings);
  const address = `127.0.0.1:${router.port}`;
  await eventually(async () => {
    const { routers } = await stack.read<Routers>("/v1/routers");
    expect(routers).toMatchObject([{ address, ports: { admin: `127.0.0.1:${router.adminPort}` } }]);
  });
  expect(await stack.dw("send", "//orders", "hello")).toMatchObject({ code: 0, stderr: "note: 1 accepted\n" });
  // The name of the directory in use may stand in front of an address.
  expect(await stack.dw("listen", "//localhost/orders", "--count", "1")).toMatchObject({ code: 0, stdout: "hello\n" });
  const client = await RheaClient.connect(router.port);
  client.receive("orders");
  await eventually(async () => {
    const { routers } = await stack.read<Routers>("/v1/routers");
    expect(routers).toMatchObject([{ queues: [{ address: "orders", messages: 0 }], links: [{ direction: "out" }] }]);
  });
  const status = await stack.dw("status");
  expect(status.stdout).toMatch(/ROUTER +ADDRESS +PROBLEMS +VERSION +SINCE\nlocalhost +127\.0\.0\.1:\d+ +0 /);

  directory.kill("SIGKILL");
  await directory.exited;
  await router.end("SIGKILL");
  await router.start();
  const again = await RheaClient.connect(router.port);
  await again.sendAll("orders", ["without"]);
  again.close();
  client.close();
  expect(await router.end("SIGTERM")).toBe(0);
});

test("tokens of the directory let in at the router, by PLAIN and by SCRAM, until they are revoked", async () => {
  const directory = await stack.startDirectory([], { auth: { mode: "token" }, tls: "off" });
  const admin = readFileSync(join(stack.folder, "directory", "admin.token"), "utf8").trim();
  stack.token = admin;
  const ofRouter = await make({ role: "router" });
  const file = join(stack.folder, "router.token");
  writeFileSync(file, ofRouter.token, { mode: 0o600 });
  const router = await RouterProcess.start(stack, {
    directories: [await stack.directoryAddress()],
    token_file: file,
    auth: { mode: "token" },
  });
  const client = await make({ role: "client", send: ["orders/**", "invoices"], listen: ["orders/**"] });
  await eventually(() => comes(router.port, plainClient("whoever", client.token)));
  const scram = () => scramClient(client.id, client.token, randomUUID());
  await comes(router.port, scram());
  await expect(comes(router.port, plainClient(client.id, `${client.token.slice(0, -1)}_`))).rejects.toThrow(
    UNAUTHORIZED,
  );
  await expect(comes(router.port, null)).rejects.toThrow(/./);

  const connected = await RheaClient.connect(router.port, "client", { username: "x", password: client.token });
  await connected.sendAll("orders/eu", ["one"]);
  const refused = connected.connection.open_sender("payments");
  await once(refused, "sender_error");
  expect(refused.error).toMatchObject({ condition: "amqp:unauthorized-access" });
  connected.close();
  // The last rights hold without the directory, after a restart too.
  directory.kill("SIGKILL");
  await directory.exited;
  await router.end("SIGKILL");
  await router.start();
  await comes(router.port, scram());
  const again = await RheaClient.connect(router.port, "client", { username: "x", password: client.token });
  again.receive("orders/eu");
  await eventually(() => expect(again.received).toEqual(["one"]));
  await stack.startDirectory([], { auth: { mode: "token" }, tls: "off" });
  const ended = once(again.connection, "connection_error");
  await stack.api.ask(endpoints.revokeToken, { params: { token: client.id } });
  await ended;
  await expect(comes(router.port, scram())).rejects.toThrow(UNAUTHORIZED);
  expect(await router.end("SIGTERM")).toBe(0);
});

const UNAUTHORIZED = "amqp:unauthorized-access";

/** Makes a token by that of an admin. */
async function make(body: {
  role: "client" | "router";
  send?: string[];
  listen?: string[];
}): Promise<{ id: string; token: string }> {
  const { id, token } = await stack.api.ask(endpoints.createToken, { body });
  return { id: id ?? "", token: token ?? "" };
}

test("a router gets its certificate of the directory, which tokens are enough to know it by, and keeps it", async () => {
  const [tlsPort] = await freePorts(1);
  const address = await stack.directoryAddress();
  const startDirectory = async () => stack.startDirectory([], { listen: `0.0.0.0:${(await stack.ports()).directory}` });
  const directory = await startDirectory();
  const dataFolder = join(stack.folder, "directory");
  stack.token = readFileSync(join(dataFolder, "admin.token"), "utf8").trim();
  stack.isOverTls = true;
  const file = join(stack.folder, "router.token");
  writeFileSync(file, (await make({ role: "router" })).token, { mode: 0o600 });
  const settings = { directories: [address], token_file: file, auth: { mode: "token" } };
  const router = await RouterProcess.start(stack, { ...settings, tls_listen: `127.0.0.1:${tlsPort}` });
  const client = await make({ role: "client", send: ["orders"], listen: ["orders"] });
  stack.token = client.token;
  const at = `amqps://127.0.0.1:${tlsPort}`;
  await eventually(async () => {
    expect(await stack.dw("send", "//orders", "hello", "-r", at)).toMatchObject({ code: 0 });
  });
  // Clients of others have the authority's certificate from the directory.
  const ca = readFileSync(join(dataFolder, "ca.pem"));
  const login = { username: "x", password: client.token };
  const secure = { transport: "tls", ca: [ca], servername: "localhost", ...login } as object;
  const rheaClient = await RheaClient.connect(tlsPort as number, "client", secure);
  rheaClient.receive("orders");
  await eventually(() => expect(rheaClient.received).toEqual(["hello"]));
  rheaClient.close();
  // Our library knows the router by its token alone, as dw does.
  const ours = await connect({ url: at, token: client.token });
  expect(await ours.send("orders", "hello", { signal: AbortSignal.timeout(60_000) })).toBeDefined();
  await ours[Symbol.asyncDispose]();
  // A token of another directory does not let the router be believed.
  stack.token = `dw1_${"a".repeat(43)}_${"b".repeat(43)}`;
  const distrusts = await stack.dw("send", "//orders", "x", "-r", at);
  expect(distrusts.code).toBe(69);
  expect(distrusts.stderr).toContain("is not of the authority that the token names");

  directory.kill("SIGKILL");
  await directory.exited;
  await router.end("SIGKILL");
  await router.start();
  stack.token = client.token;
  expect(await stack.dw("send", "//orders", "again", "-r", at)).toMatchObject({ code: 0 });
  expect(await router.end("SIGTERM")).toBe(0);
});

/** Opens a connection by a mechanism, and closes it; rejects where it is not let in. */
async function comes(port: number, sasl: SaslClient | null): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const connection = await connectPeer(port, sasl === null ? {} : { saslClients: [sasl] }, {
    opened: () => resolve(),
    closed: ({ error }) => reject(new Error(error?.condition ?? "closed")),
  });
  try {
    await promise;
  } finally {
    connection.close();
  }
}

test("routes hold for messages: a held version gets none, a share is exact, and undo takes it back", async () => {
  await stack.startDirectory();
  const router = await RouterProcess.start(stack, { directories: [await stack.directoryAddress()] });
  const one = await RheaClient.connect(router.port, "one", { properties: { version: "1" } });
  // Shares are exact while every target has credit, which a slow machine must not decide.
  one.receive("orders", { credit: 2_000 });
  await stack.lists("orders", { one: "live" });
  await eventually(async () => expect(await primaryOf("orders")).toBe("1"));
  const two = await RheaClient.connect(router.port, "two", { properties: { version: "2.1", instance: "canary" } });
  two.receive("orders", { credit: 2_000 });
  await stack.lists("orders", { one: "live", canary: "live" });
  const sender = await RheaClient.connect(router.port, "sender");
  let sent = 0;
  /** Sends so many, and says how many of them version 2 got, once all have come. */
  const toTwo = async (count: number): Promise<number> => {
    const had = two.received.length;
    const bodies = Array.from({ length: count }, (_, i) => `${sent + i}`);
    sent += count;
    await sender.sendAll("orders", bodies);
    await eventually(() => expect(one.received.length + two.received.length).toBe(sent));
    return two.received.length - had;
  };
  // The router follows the table within a moment.
  await eventually(async () => expect(await toTwo(20)).toBe(0));
  expect(await toTwo(50)).toBe(0);
  expect(await stack.dw("route", "add", "//orders", "//orders(2)", "20%")).toMatchObject({ code: 0 });
  const explained = await stack.dwJson<{ shares: readonly { target: string; percent: number }[] }>(
    "explain",
    "//*",
    "//orders",
  );
  expect(explained.shares.map(({ target, percent }) => [target, percent])).toEqual(
    expect.arrayContaining([
      ["//orders", 80],
      ["//orders(2)", 20],
    ]),
  );
  // When the first message has come, all go by the table.
  await eventually(async () => expect(await toTwo(1)).toBe(1));
  expect(Math.abs((await toTwo(1_000)) - 200)).toBeLessThanOrEqual(2);
  // What became of each is told as that of requests, for rollouts.
  await eventually(async () => {
    const { counters } = await stack.read<Counted>("/v1/counters?seconds=600");
    const of = (wanted: string | null) =>
      counters.filter(({ version }) => version === wanted).reduce((sum, { requests }) => sum + requests, 0);
    expect([of("1"), of("2.1")]).toEqual([one.received.length, two.received.length]);
  });
  await stack.api.ask(endpoints.undo);
  await eventually(async () => expect(await toTwo(20)).toBe(0));
  const links = await stack.dwJson<readonly { link: string; version: string | null; reason: string | null }[]>(
    "link",
    "list",
    "-r",
    `127.0.0.1:${router.port}`,
  );
  expect(new Set(links.map(({ version }) => version))).toEqual(new Set(["1", "2.1", null]));
  for (const client of [one, two, sender]) client.close();
  await eventually(async () => expect((await listed("orders"))?.instances ?? []).toEqual([]));
});

interface Counted {
  readonly counters: readonly { readonly version: string | null; readonly requests: number }[];
}

interface Listed {
  readonly service: string;
  readonly primary: string | null;
  readonly instances: readonly { readonly name: string }[];
}

const listed = async (name: string): Promise<Listed | undefined> =>
  (await stack.read<{ services: readonly Listed[] }>("/v1/services")).services.find(({ service }) => service === name);

const primaryOf = async (name: string): Promise<string | null> => (await listed(name))?.primary ?? null;

test("a service with a URL is reached through the router by its shares, and without it by whoever wants to be redirected", async () => {
  await stack.startDirectory();
  const received: string[] = [];
  const servers = ["1", "2"].map((version) => {
    const server = new PeerServer({}, () => ({
      linkAsked(link) {
        link.accept();
        if (link.isReceiver) link.setCredit(2_000);
      },
      delivered(delivery) {
        received.push(version);
        delivery.accept();
        delivery.receiver.keepCredit(2_000);
      },
    }));
    return { version, server };
  });
  for (const { version, server } of servers) {
    const port = await server.listen();
    const url = `amqp://127.0.0.1:${port}/barker`;
    stack.writeServiceFile(`barker-${version}`, {
      service: "//barker",
      protocol: "amqp",
      version,
      url,
      instance: `v${version}`,
    });
  }
  await stack.startWatson();
  await stack.lists("barker", { v1: "live", v2: "live" });
  await eventually(async () => expect(await primaryOf("barker")).toBe("1"));
  const router = await RouterProcess.start(stack, { directories: [await stack.directoryAddress()] });
  const direct = rhea.create_container({ id: "direct" }).connect({
    port: router.port,
    host: "127.0.0.1",
    reconnect: false,
    desired_capabilities: "datawire:redirect",
  });
  await once(direct, "connection_open");
  // The router knows the service as soon as the table has come.
  await eventually(async () => {
    const link = direct.open_sender("barker");
    await Promise.race([once(link, "sender_error"), once(link, "sendable")]);
    const { condition, info } = link.error as { condition: string; info: Record<string, unknown> };
    expect([condition, info["network-host"], info["address"]]).toEqual(["amqp:link:redirect", "127.0.0.1", "barker"]);
    expect(info["port"]).toEqual(expect.any(Number));
  });
  const sender = await RheaClient.connect(router.port);
  // One that stays: the router keeps its links to instances for as long as somebody sends.
  sender.send("barker", () => null);
  const bodies = (count: number, from: number): string[] => Array.from({ length: count }, (_, i) => `${from + i}`);
  await sender.sendAll("barker", bodies(20, 0));
  expect(received).toEqual(Array.from({ length: 20 }, () => "1"));
  await stack.addRoute("//barker", "//barker(2)", "50%");
  let next = 100;
  await eventually(async () => {
    await sender.sendAll("barker", bodies(1, next++));
    expect(received).toContain("2");
  });
  received.length = 0;
  await sender.sendAll("barker", bodies(200, 1_000));
  expect(Math.abs(received.filter((version) => version === "2").length - 100)).toBeLessThanOrEqual(1);
  const { queues } = await router.status();
  expect(queues).toMatchObject([{ address: "barker", kind: "service" }]);

  direct.close();
  sender.close();
  for (const { server } of servers) await server.close();
});
