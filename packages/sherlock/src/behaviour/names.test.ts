import { createServer } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { noLog } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { instance, service, catalogOf } from "../testing/entities.ts";
import { ask } from "../testing/ask.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";
import { Servers } from "../testing/servers.ts";
import { Resolver } from "../inputs/resolver.ts";

let folder: string;
let machine: Machine;
const servers = new Servers();

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(async () => {
  await machine.stop();
  servers.close();
  await removeFolder(folder);
});

/** Answers with the address that was called, and the Host that was asked for. */
async function listen(host: string, port: number): Promise<void> {
  const server = createServer((req, res) => res.end(`${req.socket.localAddress} ${req.headers.host}`));
  await servers.listen(server, port, host);
}

test("a name that changes its address, from A to AAAA too, is followed without a reload", async () => {
  const port = await freePort();
  for (const host of ["127.0.0.1", "127.0.0.2", "::1"]) await listen(host, port);
  const clock = createFakeClock();
  const answers = new Map<string, string[]>([["vm", ["127.0.0.1"]]]);
  let changes = 0;
  const resolver = new Resolver(
    { path: `${folder}/addresses.json`, refreshMs: 1_000 },
    {
      clock,
      log: noLog,
      hosts: () => answers.keys(),
      lookupAll: async (host) => {
        const found = answers.get(host) ?? [];
        if (found.length === 0) throw new Error("no answer");
        return found;
      },
    },
  );
  resolver.onChange(() => void changes++);
  await resolver.prepare(["vm"]);
  const table = catalogOf(service("s"), instance("s", "a", { url: `http://vm:${port}` }));
  machine = await startMachine({ table, runDir: folder, port: await freePort(), resolve: resolver.resolve });
  const stop = new AbortController();
  const running = resolver.run(stop.signal);
  const answersFrom = async (): Promise<string> => (await ask(machine.port, "/s/")).body;
  expect(await answersFrom()).toBe(`127.0.0.1 vm:${port}`);

  for (const [addresses, used] of [
    [["127.0.0.2"], "127.0.0.2"],
    [["127.0.0.2", "127.0.0.1"], "127.0.0.2"],
    [["::1"], "::1"],
    [[], "::1"],
    [["127.0.0.1"], "127.0.0.1"],
  ] as const) {
    const before = resolver.resolve("vm");
    const changesBefore = changes;
    answers.set("vm", [...addresses]);
    await expect.poll(() => clock.pending()).toBe(1);
    await clock.advance(1_000);
    await expect.poll(() => clock.pending()).toBe(1);
    expect(resolver.resolve("vm")).toEqual({ state: "known", address: used });
    expect(changes > changesBefore).toBe(before.state === "known" && before.address !== used);
    await machine.follow(["s"]);
    expect(await answersFrom()).toBe(`${used} vm:${port}`);
  }
  expect(machine.reloads).toEqual([]);
  stop.abort();
  await running;
});
