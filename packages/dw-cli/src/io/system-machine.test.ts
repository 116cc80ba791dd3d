import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, createServer as createTcp, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  expiredCertificate,
  freePorts,
  goodCertificate,
  testAuthority,
  wrongCertificate,
} from "@datawire/runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import { systemMachine } from "./system-machine.ts";

const machine = systemMachine({});

/** A server that answers each path with a text; gives its address. */
async function serve(pages: Readonly<Record<string, string>>) {
  const server = createServer((request, response) => response.end(pages[request.url ?? ""] ?? "nothing"));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

/** What is found out within two seconds, in which a busy machine may have let nobody answer. */
const answers = <T>(ask: () => Promise<T>) => expect.poll(ask);

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dw-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

test("port() tells one that is taken from one that is free", async () => {
  const at = await serve({});
  expect(await machine.port(at)).toEqual({ state: "taken" });
  expect(await machine.port({ ...at, port: 0 })).toEqual({ state: "free" });
  // 203.0.113.0/24 is for documentation (RFC 5737): no machine has it.
  expect(await machine.port({ host: "203.0.113.1", port: 0 })).toMatchObject({ state: "refused" });
});

test.each([
  [{ "/metrics": 'datawire_build_info{program="watson",version="1.2.3"} 1' }, "watson 1.2.3"],
  [{ "/v1/status": '{"error":{"code":"unauthenticated","message":"Cannot answer"}}' }, "directory"],
  [{ "/": "Services that monolith can reach here:\n" }, "sherlock"],
  [{ "/": "It works!" }, null],
])("identify() takes %j for %s", async (pages, program) => {
  const at = await serve(pages);
  await answers(() => machine.identify(at)).toBe(program);
});

test("folder() finds a folder, or what is there above it", async () => {
  const folder = await temporary();
  await mkdir(join(folder, "run"), { mode: 0o700 });
  await writeFile(join(folder, "file"), "");
  expect(await machine.folder(join(folder, "run"))).toMatchObject({
    state: "there",
    mode: 0o700,
    isFolder: true,
    isOwn: true,
    isWritable: true,
  });
  expect(await machine.folder(join(folder, "a/b"))).toMatchObject({ state: "missing", nearest: folder });
  expect(await machine.folder(join(folder, "file"))).toMatchObject({ state: "there", isFolder: false });
  expect(await machine.folder(join(folder, "file/below"))).toEqual({
    state: "hidden",
    reason: "a part of the path is not a folder",
  });
});

test("reach() says why an instance cannot be reached", async () => {
  const { host, port } = await serve({});
  const target = { host, port, tls: null, caFile: null, http: { path: "/", authority: "a" } };
  await answers(() => machine.reach(target)).toBeNull();
  await answers(() => machine.reach({ ...target, port: 1 })).toMatchObject({ code: "refused" });
  await answers(() => machine.reach({ ...target, host: "nobody.invalid" })).toMatchObject({ code: "no-name" });
  const tls = { verify: true, serverName: null };
  await answers(() => machine.reach({ ...target, tls })).toMatchObject({ code: "no-tls" });
});

test("reach() goes the way of HAProxy: one address, its verification, its reading of the answer", async () => {
  const folder = await temporary();
  const caFile = join(folder, "ca.pem");
  await writeFile(caFile, testAuthority);
  const listen = async (server: Server, host: string, port = 0): Promise<number> => {
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    return (server.address() as AddressInfo).port;
  };
  const target = { host: "localhost", tls: null, caFile, http: null };
  // Nobody else is at 127.0.0.1 there.
  const [free = 0] = await freePorts(1);
  const onIpv6 = await listen(createTcp(), "::1", free);
  await answers(() => machine.reach({ ...target, port: onIpv6 })).toMatchObject({ code: "refused" });
  const http = { path: "/", authority: "a" };
  const twice = createTcp((socket) => {
    const answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n";
    socket.on("data", () => socket.end(answer));
  });
  const twicePort = await listen(twice, "127.0.0.1");
  await answers(() => machine.reach({ ...target, port: twicePort, http })).toEqual({
    code: "no-http",
    reason: "no valid HTTP: its Transfer-Encoding says chunked more than once",
  });
  for (const [certificate, serverName, reason] of [
    [goodCertificate, null, null],
    [expiredCertificate, null, "certificate has expired"],
    [wrongCertificate, null, "does not match"],
    [wrongCertificate, "other.example", null],
  ] as const) {
    const port = await listen(
      createHttps(certificate, (_, res) => res.end()),
      "127.0.0.1",
    );
    const found = () => machine.reach({ ...target, port, tls: { verify: true, serverName }, http });
    if (reason === null) await answers(found).toBeNull();
    else await answers(found).toMatchObject({ code: "no-tls", reason: expect.stringContaining(reason) });
  }
});

test("needs() reads settings as the daemons do, and tells what is wrong with them", async () => {
  const home = await temporary();
  await mkdir(join(home, "datawire"));
  const env = { XDG_CONFIG_HOME: home, XDG_STATE_HOME: home, HOME: home };
  await writeFile(join(home, "datawire/sherlock.yaml"), "directories: [//a/directory]\nlisten: 127.0.0.1:7000\n");
  await writeFile(join(home, "datawire/watson.yaml"), "hots: vm1\n");
  const needs = await machine.needs(["watson", "sherlock"], env);
  expect(needs.ports[0]).toEqual({
    program: "sherlock",
    at: { host: "127.0.0.1", port: 7_000 },
    flag: "--listen",
    isTraffic: true,
  });
  expect(needs.directories).toMatchObject([{ at: { host: "a" }, isSet: true }]);
  const { directories } = await machine.needs(["sherlock"], { ...env, XDG_CONFIG_HOME: join(home, "none") });
  expect(directories).toMatchObject([{ at: { host: "localhost", port: 5430 }, isSet: false }]);
  expect(needs.findings).toMatchObject([
    { check: "settings", subject: "watson", message: expect.stringContaining("did you mean host?") as string },
  ]);
});
