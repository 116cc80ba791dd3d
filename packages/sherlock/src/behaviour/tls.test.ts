import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { expiredCertificate, goodCertificate, testAuthority, wrongCertificate } from "@datawire/runtime/testing";
import type { InstanceTls } from "@datawire/protocol";
import type { Catalog } from "@datawire/catalog";
import { afterAll, beforeAll, expect, test } from "vitest";
import { change, instance, service, catalogOf } from "../testing/entities.ts";
import { readServers } from "../haproxy/read-running.ts";
import { ask } from "../testing/ask.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";
import { Servers } from "../testing/servers.ts";

/** The same cases as Watson's checks of https have in probes.test.ts, and what only a server of many names does. */
const UNVERIFIED: InstanceTls = { verify: false, serverName: null };
const OTHER: InstanceTls = { verify: true, serverName: "other.example" };
const CASES = [
  ["good", goodCertificate, undefined, 200],
  ["expired", expiredCertificate, undefined, 503],
  ["wrong", wrongCertificate, undefined, 503],
  ["named", wrongCertificate, OTHER, 200],
  ["misnamed", goodCertificate, OTHER, 503],
  ["unverified", expiredCertificate, UNVERIFIED, 200],
] as const;

const servers = new Servers();
let folder: string;
let machine: Machine;
let table: Catalog;

async function listen(server: Server): Promise<string> {
  return `https://localhost:${await servers.listen(server)}`;
}

beforeAll(async () => {
  folder = await temporaryFolder();
  const caFile = join(folder, "ca.pem");
  await writeFile(caFile, testAuthority);
  table = catalogOf();
  const add = (name: string, url: string, tls: InstanceTls | undefined): void => {
    table.apply(changeOf(name, url, tls));
  };
  for (const [name, certificate, tls] of CASES) {
    add(name, await listen(createServer(certificate, (_, res) => res.end())), tls);
  }
  // Shows the certificate of another name to whoever asks for none, as servers of many names do.
  const context = createSecureContext(goodCertificate);
  const byName = createServer(
    { ...wrongCertificate, SNICallback: (name, done) => done(null, name === "localhost" ? context : undefined) },
    (_, res) => res.end(),
  );
  add("by-name", await listen(byName), undefined);
  machine = await startMachine({ table, runDir: folder, port: await freePort(), caFile });
});

function changeOf(name: string, url: string, tls: InstanceTls | undefined) {
  return change(service(name), instance(name, "a", { url, tls }));
}

afterAll(async () => {
  await machine.stop();
  servers.close();
  await removeFolder(folder);
});

/** What HAProxy's own check found of a server; the first of them is made at the start. */
async function checkOf(backend: string): Promise<string> {
  const answer = await machine.process.runtime.ask(`show stat ${backend} 4 -1`);
  const [header = "", ...lines] = answer.split("\n").map((line) => line.split(","));
  const line = lines.find(([, name]) => name?.startsWith("localhost"));
  return line?.[header.indexOf("check_status")] ?? "";
}

/** On a busy machine a handshake may take longer than it may; HAProxy tries such an instance again soon. */
const answers = (name: string, status: number): Promise<void> =>
  expect.poll(async () => (await ask(machine.port, `/${name}/`)).status).toBe(status);

test.each(CASES)("HAProxy and a check of %s agree", async (name, _, __, expected) => {
  await answers(name, expected);
});

test("HAProxy's own check asks for the name too, and does not take a server of many names out", async () => {
  await expect.poll(() => checkOf("by-name:v1:tls")).toBe("L6OK");
  await answers("by-name", 200);
});

test("an instance is verified in another way after it says so, and a dynamic server as one of the configuration", async () => {
  const url = await listen(createServer(expiredCertificate, (_, res) => res.end()));
  table.apply(changeOf("late", url, undefined));
  await machine.follow(["late"]);
  await answers("late", 503);
  table.apply(changeOf("late", url, UNVERIFIED));
  await machine.follow(["late"]);
  await answers("late", 200);
  table.apply(
    change(instance("late", "b", { url: await listen(createServer(goodCertificate, (_, res) => res.end())) })),
  );
  await machine.follow(["late"]);
  await expect
    .poll(async () => {
      const statuses = await Promise.all(
        Array.from({ length: 8 }, async () => (await ask(machine.port, "/late/")).status),
      );
      return new Set(statuses);
    })
    .toEqual(new Set([200]));
  const running = await readServers(machine.process.runtime);
  expect([...running.keys()].filter((backend) => backend.startsWith("late:"))).toContain("late:v1:tls");
});
