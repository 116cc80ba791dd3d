import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { catalogOf, instance } from "@datawire/catalog/testing";
import { expect, onTestFinished, test } from "vitest";
import { init } from "../../index.ts";
import { MergedTable } from "./merged-table.ts";

test("MergedTable has each service of the first table that has instances of it", () => {
  const table = new MergedTable();
  expect([table.service("barker"), [...table.serviceNames()]]).toEqual([null, []]);
  const empty = catalogOf([], { services: [{ name: "barker" }] });
  table.set([
    empty,
    catalogOf([instance("barker@a(1)")]),
    catalogOf([instance("barker@b(1)"), instance("meower@c(1)")]),
  ]);
  expect(table.service("barker")?.instances.map(({ name }) => name)).toEqual(["a"]);
  expect(table.service("meower")?.instances).toHaveLength(1);
  expect([...table.serviceNames()].toSorted()).toEqual(["barker", "meower"]);
  table.set([empty]);
  expect(table.service("barker")?.instances).toEqual([]);
});

test("the nodes of static: are resolved by version, without a directory", async () => {
  const nodes = JSON.stringify([
    { service: "barker", version: "1.0", address: "http://a:1", id: "first" },
    { service: "barker", version: "2.3", address: "b:2" },
  ]);
  const mdk = init({ source: `static:nodes=${nodes}` });
  await expect(mdk.session().resolve("barker", "7", { timeout: 0 })).rejects.toMatchObject({ code: "not_found" });
  mdk.start();
  await mdk.ready();
  expect(await mdk.session().resolve("barker")).toMatchObject({ id: "first", version: "1.0", address: "http://a:1" });
  const { registered } = mdk.register("till", "1", "http://127.0.0.1:1");
  await expect(registered).rejects.toMatchObject({ code: "unsupported" });
  expect(() => mdk.logs()).toThrow(/no directory/);
  expect(await mdk.session().resolve("barker", "2.1")).toMatchObject({ id: "b:2", address: "b:2" });
  await mdk.stop();
});

test("the files of Synapse are followed as they change", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mdk-synapse-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const files = join(folder, "synapse");
  const mdk = init({ source: `synapse:path=${files}` }).start();
  onTestFinished(() => mdk.stop());
  const session = mdk.session();
  // The folder is not there yet.
  await expect(session.resolve("barker", null, { timeout: 0.1 })).rejects.toMatchObject({ code: "unavailable" });
  mkdirSync(files);
  const write = (name: string, value: unknown): void =>
    writeFileSync(join(files, name), typeof value === "string" ? value : JSON.stringify(value));
  write("barker.json", [{ host: "10.0.0.1", port: 80, name: "x" }, { host: "bad" }]);
  write("other.txt", "nothing of ours");
  await mdk.ready();
  expect(await session.resolve("barker", "1.0", { timeout: 600 })).toMatchObject({
    address: "10.0.0.1:80",
    version: "1.0",
  });
  write("barker.json", [{ host: "10.0.0.2", port: 80 }]);
  await expect.poll(async () => (await session.resolve("barker")).address).toBe("10.0.0.2:80");
  // What cannot be read leaves what is known.
  write("barker.json", "[{");
  write("meower.json", [{ host: "10.0.0.3", port: 81 }]);
  expect(await session.resolve("meower", null, { timeout: 600 })).toMatchObject({ address: "10.0.0.3:81" });
  expect((await session.resolve("barker")).address).toBe("10.0.0.2:80");
});
