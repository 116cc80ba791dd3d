import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noLog } from "@datawire/runtime";
import { createFakeClock, eventually } from "@datawire/runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import type { LinkSession } from "../session/link-handler.ts";
import { type CatalogFollower, openCatalogFollower } from "./catalog-follower.ts";
import { delta, instance, service, snapshot, welcome } from "../testing/entities.ts";

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "link-"));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

async function start(path: string | null, { leavesFile = false } = {}) {
  const clock = createFakeClock();
  const warnings: string[] = [];
  const updates: string[] = [];
  const follower = await openCatalogFollower(
    { services: null, path, leavesFile },
    {
      clock,
      log: { ...noLog, warn: (message, fields) => void warnings.push(`${message}: ${String(fields?.["reason"])}`) },
      onUpdate: ({ services, position }) => updates.push(`${position.revision}: ${[...services].join(" ")}`),
    },
  );
  const reconnects: string[] = [];
  const session: LinkSession = {
    replica: { host: "localhost", port: 5430, tls: null },
    welcome,
    send: () => true,
    reconnect: (reason) => void reconnects.push(reason),
  };
  return { clock, follower, warnings, updates, reconnects, session };
}

const names = ({ table }: CatalogFollower): string[] => [...table.instances()].map(({ name }) => name).sort();
const whole = snapshot(1, { services: [service("barker")], instances: [instance("barker", "a")] });

test("openCatalogFollower() follows a table and says which services changed", async () => {
  const { clock, follower, updates, session } = await start(null);
  expect(follower.status()).toEqual({
    origin: "none",
    position: null,
    warming: false,
    connected: false,
    divergences: 0,
    ageMs: null,
  });
  follower.connected(session);
  follower.message(whole);
  follower.message(delta(1, { instances: [instance("barker", "b")] }));
  expect(updates).toEqual(["1: barker", "2: barker"]);
  expect(follower.status()).toMatchObject({ origin: "directory", connected: true, ageMs: 0 });
  follower.disconnected("gone");
  await clock.advance(7_000);
  expect(follower.status()).toMatchObject({ origin: "directory", connected: false, ageMs: 7_000 });
  expect(names(follower)).toEqual(["a", "b"]);
});

test("openCatalogFollower() asks for all of the table after a gap, and keeps what it has", async () => {
  const { follower, reconnects, session } = await start(null);
  follower.connected(session);
  follower.message(whole);
  expect(follower.subscription.have()).toMatchObject({ epoch: "e1", revision: 1 });
  follower.message(delta(5, {}));
  expect(reconnects).toEqual(["a delta from e1:5 came, and the table here is e1:1"]);
  expect(follower.subscription.have()).toBe(null);
  expect(names(follower)).toEqual(["a"]);
});

test("openCatalogFollower() asks for all of a table that differs, and again only after some time", async () => {
  const { clock, follower, updates, reconnects, session, warnings } = await start(null);
  const differs = { hash: "0".repeat(16) };
  const again = (): void => {
    follower.disconnected("");
    follower.connected(session);
    follower.message({ ...whole, ...differs });
    follower.message({ ...delta(1, {}), ...differs });
  };
  again();
  expect(reconnects).toHaveLength(1);
  expect(warnings).toEqual([expect.stringMatching(/^Table differs .*: the table of e1:2 has the hash 0{16} there/)]);
  expect(follower.subscription.have()).toBe(null);
  expect(updates).toEqual(["1: barker", "2: "]);
  again();
  expect(reconnects).toHaveLength(1);
  expect(follower.status()).toMatchObject({ divergences: 4, connected: true });
  await clock.advance(600_000);
  again();
  expect(reconnects).toHaveLength(2);
});

test("openCatalogFollower() begins with the last table and its age", async () => {
  const path = join(await folder(), "state", "table.json");
  const first = await start(path);
  first.follower.message(whole);
  await first.follower.close();
  expect((await stat(path)).mode & 0o777).toBe(0o600);

  const second = await start(path);
  await second.clock.advance(3_600_000);
  expect(names(second.follower)).toEqual(["a"]);
  expect(second.follower.status()).toEqual({
    origin: "disk",
    position: { epoch: "e1", revision: 1 },
    warming: false,
    connected: false,
    divergences: 0,
    ageMs: 3_600_000,
  });
  expect(second.follower.subscription.have()).toMatchObject({ epoch: "e1", revision: 1 });
  second.follower.message(delta(1, { instances: [instance("barker", "b")] }));
  expect(second.follower.status().origin).toBe("directory");
  expect(names(second.follower)).toEqual(["a", "b"]);
  await second.follower.close();
});

test("openCatalogFollower() knows after a crash when the table was last followed, and not when it last changed", async () => {
  const path = join(await folder(), "table.json");
  const first = await start(path);
  first.follower.connected(first.session);
  first.follower.message(whole);
  await first.clock.advance(1_000);
  await eventually(() => stat(path));
  await eventually(async () => {
    await first.clock.advance(600_000);
    const second = await start(path);
    const aheadMs = first.clock.nowMs() - second.clock.nowMs();
    await second.clock.advance(aheadMs);
    expect(second.follower.status().ageMs).toBeLessThanOrEqual(10_000);
  });
  first.follower.disconnected("gone");
  expect(first.clock.pending()).toBe(0);
});

test("openCatalogFollower() keeps on disk what a warming directory lacks, without a position", async () => {
  const path = join(await folder(), "table.json");
  const first = await start(path);
  first.follower.message(whole);
  first.follower.message(snapshot(0, { epoch: "e2", warming: true }));
  await first.follower.close();
  const second = await start(path);
  expect(names(second.follower)).toEqual(["a"]);
  expect(second.follower.subscription.have()).toBe(null);
  await second.follower.close();
});

test.each([
  [
    "cut",
    (text: string) => text.slice(0, text.length / 2),
    "it holds no valid JSON; it may have been written only in part",
  ],
  ["empty", () => "", "it is empty"],
  [
    "of another format",
    (text: string) => text.replace('"format":1', '"format":9'),
    "format: Invalid input: expected 1",
  ],
  ["whose table is no table", (text: string) => text.replace('"services":[', '"services":7,"x":['), "table.services: "],
])("openCatalogFollower() starts without a file that is %s, and says so", async (_, damage, reason) => {
  const path = join(await folder(), "table.json");
  const first = await start(path);
  first.follower.message(whole);
  await first.follower.close();
  await writeFile(path, damage(await readFile(path, "utf8")));
  const second = await start(path);
  expect(second.warnings).toEqual([expect.stringContaining(`Last known table ignored: ${reason}`)]);
  expect(names(second.follower)).toEqual([]);
});

test("openCatalogFollower() starts with what can be read of a file, says what cannot, and asks for all of it", async () => {
  const path = join(await folder(), "table.json");
  const first = await start(path);
  first.follower.message(
    snapshot(1, { services: [service("barker")], instances: [instance("barker", "a"), instance("barker", "b")] }),
  );
  await first.follower.close();
  await writeFile(path, (await readFile(path, "utf8")).replaceAll('"name":"a"', '"name":"../a"'));
  const { follower, session } = await start(path);
  expect(names(follower)).toEqual(["b"]);
  expect(follower.leftOut()).toEqual([
    { kind: "instance", key: null, reason: expect.stringContaining("Cannot read an instance: name: ") },
  ]);
  expect(follower.subscription.have()).toBe(null);
  follower.connected(session);
  follower.message(whole);
  expect(names(follower)).toEqual(["a"]);
  expect(follower.leftOut()).toEqual([]);
  await follower.close();
});

test("openCatalogFollower() may take another program's last table, and then leaves that as it is", async () => {
  const path = join(await folder(), "table.json");
  const first = await start(path);
  first.follower.message(whole);
  await first.follower.close();
  const before = await readFile(path, "utf8");
  const { clock, follower } = await start(path, { leavesFile: true });
  expect(names(follower)).toEqual(["a"]);
  follower.message(snapshot(2, { services: [service("barker")], instances: [instance("barker", "b")] }));
  expect(clock.pending()).toBe(0);
  await follower.close();
  expect(await readFile(path, "utf8")).toBe(before);
});

test("openCatalogFollower() goes on when the table cannot be written", async () => {
  const parent = join(await folder(), "file");
  await writeFile(parent, "");
  const { follower, updates } = await start(join(parent, "table.json"));
  follower.message(whole);
  await follower.close();
  expect(updates).toEqual(["1: barker"]);
});
