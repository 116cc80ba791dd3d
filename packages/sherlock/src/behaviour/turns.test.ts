import { once } from "node:events";
import { Agent } from "node:http";
import { connect, createServer } from "node:net";
import type { Catalog } from "@datawire/catalog";
import { Chance } from "@datawire/protocol/testing/chance";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask, type Answer } from "../testing/ask.ts";
import { type Echo, startEcho } from "../testing/echo.ts";
import { catalogOf, change, instance, routes, service } from "../testing/entities.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";
import { Servers } from "../testing/servers.ts";

/** How evenly a real HAProxy shares requests. */

let folder: string;
let machine: Machine;
let tcpPort: number;
let table: Catalog;
const echoes: Echo[] = [];
const servers = new Servers();
const agent = new Agent({ keepAlive: true, maxSockets: 4 });

/** A server of TCP that says its name. */
const saying = async (name: string): Promise<string> =>
  `tcp://127.0.0.1:${await servers.listen(createServer((socket) => socket.on("error", () => {}).end(name)))}`;

beforeAll(async () => {
  folder = await temporaryFolder();
  tcpPort = await freePort();
  for (const name of ["1", "2"]) echoes.push(await startEcho(name));
  const [one, two] = echoes.map(({ url }) => url) as [string, string];
  const both = (name: string) => [
    service(name),
    instance(name, "one", { url: one }),
    instance(name, "two", { url: two, version: "2" }),
  ];
  table = catalogOf(
    ...both("a"),
    routes("a", { "//a(2)": { share: 100 } }),
    ...both("b"),
    routes("b", { "//b(2)": { share: 1_000 } }),
    ...both("c"),
    routes("c", { "//c(2)": { share: 1_000, when: "header:X-Odd=1" } }, { sticky: "header:u" }),
    service("db", { protocol: "tcp" }),
    instance("db", "one", { protocol: "tcp", url: await saying("1") }),
    instance("db", "two", { protocol: "tcp", url: await saying("2"), version: "2" }),
    routes("db", { "//db(2)": { share: 1_000 } }),
  );
  machine = await startMachine({
    table,
    runDir: folder,
    port: await freePort(),
    settings: { tcp: { listen: new Map([["db", { host: "127.0.0.1", port: tcpPort }]]), range: null } },
  });
  await machine.follow(table.serviceNames());
});

afterAll(async () => {
  agent.destroy();
  await machine.stop();
  await Promise.all(echoes.map((echo) => echo.close()));
  servers.close();
  await removeFolder(folder);
});

const isNew = ({ seen }: Answer): number => Number(seen?.name === "2");

/** How many of so many requests version 2 gets, over four connections at once. */
async function countOf(
  path: string,
  requests: number,
  between: () => Promise<unknown> = async () => {},
): Promise<number> {
  let [left, found] = [requests, 0];
  const asking = Array.from({ length: 4 }, async () => {
    while (left > 0) {
      left -= 1;
      const answer = await ask(machine.port, path, {}, agent);
      found += isNew(answer);
      await between();
    }
  });
  await Promise.all(asking);
  return found;
}

/** Whether a number is as far from what is wanted as it may be. */
const within = (found: number, wanted: number, most: number): void =>
  expect(Math.abs(found - wanted), `${found} instead of ${wanted}`).toBeLessThanOrEqual(most);

test("of 10,000 requests to one service a share gets its part but for one, whatever other services are asked between", async () => {
  const chance = new Chance(7);
  // They belong to another window.
  await countOf("/a/", 123);
  const between = async (): Promise<void> => {
    if (chance.once(4)) await ask(machine.port, chance.pick(["/b/", "/c/", "/nobody/"]), {}, agent);
  };
  within(await countOf("/a/", 10_000, between), 100, 1);
});

test.each(["/b/", "/c/"])(
  "of 1,000 requests to %s, with and without rules, a share gets its part but for three",
  async (path) => {
    for (let i = 0; i < 2; i++) within(await countOf(path, 1_000), 100, 3);
  },
);

test("who asks for something else each tenth time meets a share with that as often as with the rest", async () => {
  let special = 0;
  for (let i = 0; i < 2_000; i++) {
    const found = isNew(await ask(machine.port, i % 10 === 0 ? "/b/dear" : "/b/", {}, agent));
    if (i % 10 === 0) special += found;
  }
  // By chance it would be 20 with a deviation of 4.
  within(special, 20, 8);
});

test("a change of the routes begins nothing anew", async () => {
  let found = 0;
  for (let i = 0; i < 10; i++) {
    const when = i % 2 === 0 ? "path:/odd" : null;
    table.apply(change(routes("b", { "//b(2)": { share: 1_000, when } })));
    await machine.follow(["b"]);
    const more = await countOf("/b/", 50);
    found += more;
  }
  within(found, 50, 6);
});

test("of 1,000 connections of TCP a share gets its part but for three", async () => {
  let found = 0;
  for (let i = 0; i < 1_000; i++) {
    const socket = connect(tcpPort, "127.0.0.1");
    const [data] = (await once(socket, "data")) as [Buffer];
    found += Number(String(data) === "2");
    socket.destroy();
  }
  within(found, 100, 3);
});
