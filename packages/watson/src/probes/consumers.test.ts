import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, expect, test } from "vitest";
import { createProber } from "./create-prober.ts";
import type { ProberDeps } from "./prober.ts";

const deps = { lookup: () => {} } as unknown as ProberDeps;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A router that answers with this; what it was asked is in `asked`. */
async function router(body: string, status = 200): Promise<{ readonly port: number; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  return { port: (server.address() as AddressInfo).port, asked };
}

async function probe(port: number, consumers = 2): Promise<string> {
  const settings = { kind: "consumers", address: "barker", consumers, host: "127.0.0.1", port } as const;
  const result = await createProber(settings, deps).probe(new AbortController().signal);
  return result.ok ? "pass" : result.reason;
}

test("createConsumersProber() counts the links of this machine, and no others", async () => {
  const own = Object.values(networkInterfaces())
    .flatMap((some) => some ?? [])
    .map(({ address }) => address);
  const consumers = [
    { host: own.at(-1) ?? "::1", links: 1 },
    { host: "127.0.0.1", links: 1 },
    // Of no machine (RFC 5737).
    { host: "192.0.2.1", links: 7 },
  ];
  const { port, asked } = await router(JSON.stringify({ address: "barker", consumers }));
  expect(await probe(port)).toBe("pass");
  expect(await probe(port, 3)).toBe(`2 links of this machine at barker of the router at 127.0.0.1:${port}, wanted 3`);
  expect(asked).toEqual(["/v1/consumers?address=barker", "/v1/consumers?address=barker"]);
});

test.each([
  ["not found", 404],
  ["<html>", 200],
  ["{}", 200],
  ['{"consumers":[{"host":1,"links":"x"}]}', 200],
])("createConsumersProber() says that %j with %i is no answer of a router", async (body, status) => {
  const { port } = await router(body, status);
  const reason = `${status} from 127.0.0.1:${port} is no answer of a router to who listens at barker`;
  expect(await probe(port)).toBe(`${reason}, wanted the admin port of a router`);
});

test("createConsumersProber() says where no router is", async () => {
  const { port } = await router("");
  for (const close of closing.splice(0)) close();
  await expect.poll(() => probe(port)).toBe(`connection refused by 127.0.0.1:${port}`);
});
