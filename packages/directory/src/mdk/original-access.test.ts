import { once } from "node:events";
import { connect } from "node:net";
import type { Role } from "@datawire/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectOriginal, type Original } from "../testing/original.ts";
import { type Guarded, serveGuarded } from "../testing/guarded.ts";

let guarded: Guarded;
beforeAll(async () => {
  guarded = await serveGuarded();
});
afterAll(() => guarded.stop());

const open = (token: string, options: object = {}): Promise<Original> =>
  connectOriginal(guarded.port, { token, tls: true, ...options });

test.each<[Role, number | null]>([
  ["library", null],
  ["admin", null],
  ["operator", 403],
  ["viewer", 403],
  ["watson", 403],
  ["sherlock", 403],
  ["client", 403],
  ["router", 403],
])("an original with a token of role %s is refused at the handshake with %s", async (role, status) => {
  const { token } = await guarded.create(role);
  if (status !== null) return expect(open(token)).rejects.toThrow(`refused with ${status}`);
  const original = await open(token);
  expect(await original.next("open")).toMatchObject({ version: "2.0.0" });
  original.socket.terminate();
});

test("an original without a token that holds is refused at the handshake", async () => {
  const { token, id } = await guarded.create("library");
  await guarded.tokens.revoke(id, { tenant: null });
  for (const wrong of [token, "tok", ""]) await expect(open(wrong)).rejects.toThrow("refused with 401");
});

test("a token in the query opens nothing else", async () => {
  const { token } = await guarded.create("admin");
  const { status, body } = await guarded.ask(`/v1/services?token=${token}`);
  expect([status, String(body)]).toEqual([401, expect.not.stringContaining(token)]);
  await expect(open(token, { path: "/v1/link" })).rejects.toThrow("refused with 401");
  await expect(open(token, { path: "/else" })).rejects.toThrow("refused with 404");
});

test("a token of role library reads logs, and no services", async () => {
  const { token } = await guarded.create("library");
  const statuses = ["/v1/traces", "/v1/services", "/v1/status"].map(
    async (path) => (await guarded.ask(path, { token })).status,
  );
  expect(await Promise.all(statuses)).toEqual([200, 403, 403]);
});

test("an original speaks TLS where the directory does; in the clear it is told so", async () => {
  const { token } = await guarded.create("library");
  await expect(open(token, { tls: false })).rejects.toThrow("refused with 401");
});

test("a connection ends with its token", async () => {
  const { token, id } = await guarded.create("library");
  const original = await open(token);
  await original.next("open");
  await guarded.tokens.revoke(id, { tenant: null });
  expect(await original.closed()).toBe(1008);
});

test("an original sees the table of its tenant alone", async () => {
  const originals = await Promise.all(
    ["one", "two"].map(async (tenant) => open((await guarded.create("library", { tenant })).token, { nodeId: tenant })),
  );
  originals[0]?.active({ service: "first", address: "http://127.0.0.1:1" });
  await originals[0]?.next("active");
  originals[1]?.active({ service: "second", address: "http://127.0.0.1:2" });
  expect(await originals[1]?.next("active")).toMatchObject({ node: { service: "second" } });
  expect(originals[1]?.frames.filter(({ node }) => node?.service === "first")).toEqual([]);
  for (const original of originals) original.socket.terminate();
});

test("what was left out, and what originals alone are told of, stands in the status", async () => {
  const limited = await guarded.create("library", { services: ["shop-*", "My*"] });
  const original = await open(limited.token, { nodeId: "process-7" });
  original.active({ service: "till", address: "http://127.0.0.1:1" });
  original.active({ service: "My Service", address: "random_1" });
  original.active({ service: "shop-api", address: "http://127.0.0.1:2" });
  await original.next(({ node }) => node?.service === "shop-api");
  const { token } = await guarded.create("admin");
  const status = JSON.parse(String((await guarded.ask("/v1/status", { token })).body)) as {
    problems: { subject: string; message: string; remedy: string }[];
    watsons: unknown[];
  };
  expect(status.problems).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        subject: "node till of the MDK client process-7",
        message: expect.stringContaining("its token may not register till") as string,
        remedy: expect.stringContaining("--role library") as string,
      }),
      expect.objectContaining({
        subject: "nodes of MDK clients",
        message: expect.stringContaining("My Service at random_1") as string,
      }),
    ]),
  );
  expect(status.watsons).toEqual([]);
  const callers = JSON.parse(String((await guarded.ask("/v1/callers", { token })).body)) as { callers: object[] };
  expect(callers.callers).toMatchObject([{ name: "process-7", kind: "library", version: "2.0.37" }]);
  original.socket.terminate();
});

test("a request for an upgrade that breaks off halfway harms nobody", async () => {
  const { token } = await guarded.create("library");
  const socket = connect(guarded.port, "127.0.0.1");
  await once(socket, "connect");
  socket.write("GET /rtp?token=x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n");
  socket.destroy();
  const original = await open(token);
  await original.next("open");
  original.socket.terminate();
});

// The last one: whoever is refused too often from this address is told to wait from now on.
test("an original that is refused again and again is told to wait", async () => {
  const told = new Set<string>();
  // Some are explained before the first one that is not.
  for (let i = 0; i < 500 && !told.has("refused with 429"); i++)
    await open("tok").catch((error: unknown) => told.add(String(error).replace("Error: ", "")));
  expect([...told].toSorted()).toEqual(["refused with 401", "refused with 429"]);
});
