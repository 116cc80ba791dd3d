import { type AddressInfo, createServer, type Server as TcpServer } from "node:net";
import { createServer as createHttps } from "node:https";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expiredCertificate, freePorts, testAuthority } from "@datawire/runtime/testing";
import { afterAll, beforeAll, describe, test } from "vitest";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/** Where a check and the traffic could part ways, with real processes: what the one calls live, the other reaches, or it is told. */
let stack: Stack;
const servers: TcpServer[] = [];
beforeAll(async () => {
  stack = new Stack();
  await stack.startDirectory();
  const caFile = join(stack.folder, "ca.pem");
  writeFileSync(caFile, testAuthority);
  await Promise.all([stack.startWatson(), stack.startSherlock([], { haproxy: { ca_file: caFile } })]);
});
afterAll(async () => {
  for (const server of servers.splice(0)) server.close();
  await stack.dispose();
});

async function listen(server: TcpServer, host = "127.0.0.1"): Promise<number> {
  servers.push(server);
  // Of its own at every address of loopback: what one of a name's addresses has, another may not have by chance.
  const [port] = await freePorts(1);
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return (server.address() as AddressInfo).port;
}

const statusOf = async (path: string): Promise<number> => (await fetch(await stack.url(path))).status;

interface Listed {
  readonly service: string;
  readonly instances: readonly { readonly name: string; readonly state: string; readonly reason: string | null }[];
}

const listed = async (service: string): Promise<Listed["instances"]> => {
  const { services } = await stack.read<{ services: Listed[] }>("/v1/services");
  return services.find((one) => one.service === service)?.instances ?? [];
};

/** Waits until `dw status` would say so of an instance, or nothing any more for null; each look is after a request. */
async function told(service: string, message: string | null): Promise<void> {
  await eventually(async () => {
    await statusOf(`/${service}/`);
    const { problems } = await stack.read<{ problems: { subject: string; message: string }[] }>("/v1/status");
    const found = problems.find(({ subject }) => subject === `sherlock monolith: //${service}@one`)?.message ?? null;
    if (message === null ? found !== null : found?.startsWith(message) !== true)
      throw new Error(`wanted ${message}, found ${found}`);
  });
}

describe.concurrent("what a check finds live", () => {
  test("an instance whose check does not verify and whose certificate has expired is a problem wherever one looks", async ({
    expect,
  }) => {
    const port = await listen(createHttps(expiredCertificate, (_, res) => res.end("ok")));
    const url = `https://localhost:${port}`;
    const file = { service: "//expired", version: "1", url, instance: "one" };
    stack.writeServiceFile("expired", { ...file, liveness: { tls_verify: false } });
    await stack.lists("expired", { one: "live" });
    await eventually(async () => expect(await statusOf("/expired/")).toBe(503));

    const why = `no TLS with 127.0.0.1:${port}: certificate has expired`;
    const message = `live, but HAProxy cannot use it: ${why}`;
    await told("expired", message);
    expect((await stack.dw("status")).stdout).toContain(`//expired@one: ${message}`);
    expect(await listed("expired")).toMatchObject([
      { name: "one", state: "live", reason: expect.stringContaining(why) },
    ]);
    expect(await stack.dwJson("explain", "//monolith", "//expired")).toMatchObject({
      shares: [],
      excluded: [{ name: "one", reason: expect.stringContaining(why) }],
    });
    expect((await stack.dw("doctor", "watson")).stdout).toMatch(/\/\/expired@one: .*certificate/);
    expect(await (await fetch(await stack.url("/"))).text()).toContain("/expired/  down, 0 of 1 live");

    // Said of the instance, it holds for both.
    stack.writeServiceFile("expired", { ...file, tls: { verify: false } });
    await eventually(async () => expect(await statusOf("/expired/")).toBe(200));
    await told("expired", null);
  });

  test("an answer that HAProxy refuses is no sign of life, and is told where the check asks for another path", async ({
    expect,
  }) => {
    const twice = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    const port = await listen(
      createServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", (data) => {
          const isHealth = data.toString("latin1").startsWith("GET /health ");
          socket.end(isHealth ? "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" : twice);
        });
      }),
    );
    const file = { service: "//refusing", version: "1", url: `http://127.0.0.1:${port}`, instance: "one" };
    stack.writeServiceFile("refusing", file);
    await stack.lists("refusing", { one: "down" });
    const why = "its Transfer-Encoding says chunked more than once";
    await eventually(async () =>
      expect(await listed("refusing")).toMatchObject([{ reason: `no valid HTTP from 127.0.0.1:${port}: ${why}` }]),
    );

    stack.writeServiceFile("refusing", { ...file, liveness: { http: "/health" } });
    await stack.lists("refusing", { one: "live" });
    await eventually(async () => expect(await statusOf("/refusing/")).toBe(502));
    await told("refusing", `live, but HAProxy refuses its answers: ${why}`);
    expect((await stack.dw("explain", "//monolith", "//refusing")).stdout).toContain(why);
    expect(await listed("refusing")).toMatchObject([{ state: "live", reason: expect.stringContaining(why) }]);
  });

  test("an instance that listens on one of a name's addresses is live only where requests go there", async ({
    expect,
  }) => {
    const port = await listen(createHttps(expiredCertificate), "::1");
    const file = { service: "//ipv6", version: "1", instance: "one", liveness: { tcp: `localhost:${port}` } };
    stack.writeServiceFile("ipv6", { ...file, url: `http://localhost:${port}` });
    await stack.lists("ipv6", { one: "down" });
    await eventually(async () =>
      expect(await listed("ipv6")).toMatchObject([{ reason: expect.stringContaining("requests go to; not to ::1") }]),
    );
    stack.writeServiceFile("ipv6", { ...file, url: `http://[::1]:${port}`, liveness: { tcp: `[::1]:${port}` } });
    await stack.lists("ipv6", { one: "live" });
  });
});
