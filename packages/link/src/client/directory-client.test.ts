import { ProtocolError } from "@datawire/protocol";
import { expect, test } from "vitest";
import { createDirectoryClient } from "./directory-client.ts";
import type { HttpAnswer } from "../transport/http-exchange.ts";
import { Unreachable } from "./unreachable.ts";

/** A client whose directories, `a` and `b`, answer in turn with what a test says. */
function start(answers: Record<string, HttpAnswer[]>) {
  const asked: string[] = [];
  const client = createDirectoryClient(
    {
      directories: Object.keys(answers).map((host) => ({ host, port: 5430, tls: null })),
      token: "secret",
      user: "ann@desk",
      tls: null,
    },
    {
      async request({ host }, { method, path, headers, body }) {
        asked.push(
          `${host} ${method} ${path} ${body ?? "-"} ${headers["authorization"]} ${headers["x-datawire-user"]}`,
        );
        return answers[host]?.shift() ?? { state: "failed", reason: "no more answers", sent: false };
      },
      close: async () => {},
    },
  );
  return { client, asked, hosts: () => asked.map((line) => line.split(" ", 1)[0]).join("") };
}

const ok = (value: unknown): HttpAnswer => ({ state: "answered", status: 200, body: JSON.stringify(value) });
const down: HttpAnswer = { state: "failed", reason: "connection refused: nothing listens there", sent: false };
const cut: HttpAnswer = { state: "failed", reason: "the other side broke the connection", sent: true };

test("createDirectoryClient() asks with the token and the user", async () => {
  const { client, asked } = start({ a: [ok({ x: 1 })] });
  expect(await client.exchange("POST", "/v1/routes", { dryRun: true })).toEqual({ x: 1 });
  expect(asked).toEqual(['a POST /v1/routes {"dryRun":true} Bearer secret ann@desk']);
});

test("createDirectoryClient() goes on to the next address, and stays with the one that answers", async () => {
  const { client, hosts } = start({ a: [down], b: [ok(1), ok(2)] });
  expect(await client.exchange("GET", "/v1/status")).toBe(1);
  expect(await client.exchange("GET", "/v1/status")).toBe(2);
  expect(hosts()).toBe("abb");
});

test("createDirectoryClient() names each address that it tried, and why", async () => {
  const { client } = start({ a: [down], b: [{ state: "failed", reason: "the name does not resolve", sent: false }] });
  const error = await client.exchange("GET", "/v1/status").catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Unreachable);
  expect(error).toMatchObject({
    exitCode: 69,
    message:
      "Cannot reach the directory: //a/directory: connection refused: nothing listens there; //b/directory: the name does not resolve",
  });
});

test("createDirectoryClient() reads again elsewhere after a cut answer, and never changes twice", async () => {
  const read = start({ a: [cut], b: [ok(1)] });
  expect(await read.client.exchange("GET", "/v1/routes")).toBe(1);
  const change = start({ a: [cut], b: [ok(1)] });
  await expect(change.client.exchange("DELETE", "/v1/routes", {})).rejects.toThrow(
    "whether the change was made is not known",
  );
  expect(change.hosts()).toBe("a");
});

test("createDirectoryClient() throws what the directory refused, and asks no other", async () => {
  const body = JSON.stringify({ error: { code: "conflict", message: "Cannot add the route: the sum is 110%" } });
  const { client, hosts } = start({ a: [{ state: "answered", status: 409, body }], b: [ok(1)] });
  const error = await client.exchange("PUT", "/v1/routes", {}).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ProtocolError);
  expect(error).toMatchObject({ code: "conflict", message: "Cannot add the route: the sum is 110%" });
  expect(hosts()).toBe("a");
});

test.each([
  ["a page", { state: "answered", status: 404, body: "<html>" }],
  ["no JSON", { state: "answered", status: 200, body: "hello" }],
  ["another JSON error", { state: "answered", status: 500, body: '{"error":"x"}' }],
] as const)("createDirectoryClient() takes %s for no directory", async (_, answer) => {
  const { client } = start({ a: [answer] });
  await expect(client.exchange("GET", "/v1/status")).rejects.toThrow(
    "not as a directory does: is this the right address?",
  );
});

test("createDirectoryClient() sends the cookies of whoever it asks for", async () => {
  const sent: unknown[] = [];
  const directories = [{ host: "a", port: 5430, tls: null }];
  const client = createDirectoryClient(
    { directories, token: null, cookie: "dw_session=x", user: null, tls: null },
    {
      async request(_, { headers }) {
        sent.push(headers);
        return ok(1);
      },
      close: async () => {},
    },
  );
  await client.exchange("GET", "/v1/traces");
  expect(sent).toEqual([{ cookie: "dw_session=x" }]);
});
