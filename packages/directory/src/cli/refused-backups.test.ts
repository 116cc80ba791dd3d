import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type ProcessLike, runDaemon } from "@datawire/runtime";
import { eventually } from "@datawire/runtime/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { directoryDaemon } from "../app/daemon.ts";
import { openEmbeddedStore, STORE_FILE } from "../store/embedded/embedded.ts";
import { readOldBackup } from "../store/backup/old-backup.ts";
import { type Served, serve } from "../testing/served.ts";
import { registration } from "../testing/worlds.ts";

let folder: string;
let running: Served;
let idle: string;
/** The lines of a good backup. */
let lines: readonly string[];

const ROUTE = { source: "//m", target: "//barker(2)", percent: 10, ahead: true, reading: "caller" };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "datawire-refused-"));
  running = await serve({ folder: join(folder, "running") });
  await running.send("POST", "/v1/services", { service: "//barker", primary: "1" });
  await running.send("POST", "/v1/routes", ROUTE);
  const text = await (await fetch(`http://127.0.0.1:${running.port}/v1/backup`)).text();
  lines = text.split("\n").slice(0, -2);
  idle = join(folder, "idle");
  const store = await openEmbeddedStore(idle, "test");
  await store.commit([{ key: "caller/m", value: { name: "m", kind: "sherlock", seenMs: 1 }, version: 0 }]);
  await store.close();
});
afterAll(async () => {
  await running.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Lines as a backup, with an end that fits. */
function whole(made: readonly string[]): string {
  const text = made.map((line) => `${line}\n`).join("");
  const sha256 = createHash("sha256").update(text).digest("hex");
  return `${text}${JSON.stringify({ end: { lines: made.length, sha256 } })}\n`;
}

const line = (value: object): string => JSON.stringify(value);
const record = (key: string, value: unknown): string => line({ record: key, value });
/** A good backup in which the route table is another one. */
const withRoute = (fields: object): string =>
  whole(
    lines.map((one) => {
      const read = JSON.parse(one) as { record?: string; value?: { routes: object[] } };
      if (read.record !== "table/m>barker" || read.value === undefined) return one;
      const routes = read.value.routes.map((route) => ({ ...route, ...fields }));
      return record(read.record, { ...read.value, routes });
    }),
  );
const added = (...more: readonly string[]): string => whole([...lines, ...more]);
const stored = {
  watson: { id: "id-of-vm1", name: "vm1", version: "1" },
  registration: registration("barker@a:1"),
  order: 0,
  sinceMs: 1,
};

/** Every way in which a backup is none, and what is said of it. */
const REFUSALS: readonly [string, () => string | Uint8Array, RegExp][] = [
  ["nothing", () => "", /it is empty/],
  ["text", () => "hello\n", /wanted one that `directory backup` made/],
  ["bytes", () => Uint8Array.from({ length: 5_000 }, (_, i) => (i * 7) % 256), /wanted one that/],
  ["JSON of another kind", () => "[1]\n", /wanted one that/],
  ["one of a newer form", () => whole([line({ format: "datawire-backup", version: 3 })]), /form 3, and this version/],
  ["one that was cut at a line", () => lines.map((one) => `${one}\n`).join(""), /its end is missing/],
  ["one that was cut within a line", () => added().slice(0, 200), /line \d+: it is no JSON/],
  [
    "one in which a letter is another one",
    () => added().replace("barker", "barkex"),
    /the hash is another one|it says that/,
  ],
  ["one whose end counts otherwise", () => added().replace(/"lines":\d+/, '"lines":1'), /the end counts 1 lines/],
  ["one that goes on after its end", () => `${added()}${lines[1] ?? ""}\n`, /it follows the end/],
  ["a line that is too long", () => whole([...lines, "x".repeat(5_000_000)]), /a line of it has more than 4194304/],
  ["a line that is no text", () => Buffer.from(added().replace('"m"', '"\u00ff"'), "latin1"), /not text in UTF-8/],
  ["a line of another kind", () => added(line({ table: 1 })), /it is no record, no registration/],
  ["a record of an unknown kind", () => added(record("constructor/x", {})), /"constructor\/x": its kind is unknown/],
  ["a record that is nothing", () => added(record("caller/x", null)), /"caller\/x" is nothing/],
  ["a record twice", () => added(lines[1] ?? ""), /is there twice/],
  ["a target that is none", () => withRoute({ target: "garbage" }), /"table\/m>barker": .*"garbage"/],
  ["a condition that is none", () => withRoute({ when: "nonsense" }), /"nonsense" as --when/],
  ["slots that are none", () => withRoute({ slots: [[9, 1]] }), /not ascending/],
  ["a tenant that leads elsewhere", () => added(line({ tenant: "../../escaped" })), /"..\/..\/escaped" as a tenant/],
  ["a tenant twice", () => added(line({ tenant: "a" }), line({ tenant: "a" })), /the tenant a is there twice/],
  ["a bad record of a tenant", () => added(line({ tenant: "a" }), record("caller/x", {})), /"caller\/x": name: /],
  ["tokens of a tenant", () => added(line({ tenant: "a" }), record("access/token/x", {})), /its kind is unknown/],
  ["a token that is none", () => added(record("access/token/x", {})), /"access\/token\/x": id: /],
  [
    "an authority that is none",
    () => added(record("access/authority", { certificate: "x", key: "y" })),
    /certificate is none/,
  ],
  [
    "a registration with a URL that is none",
    () =>
      added(
        line({ registration: "barker@a", value: { ...stored, registration: { ...stored.registration, url: "x" } } }),
      ),
    /"x" as the URL/,
  ],
  [
    "a registration of another name",
    () => added(line({ registration: "barker@b", value: stored })),
    /says that it is barker@a/,
  ],
];

/** Every file below a folder, with what is in it. */
async function contentOf(path: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    files.set(
      file,
      entry.isFile()
        ? createHash("sha256")
            .update(await readFile(file))
            .digest("hex")
        : "folder",
    );
  }
  return files;
}

test.each(REFUSALS)("POST /v1/restore of %s is refused, and nothing is written", async (_, make, reason) => {
  const before = await contentOf(folder);
  const answer = await fetch(`http://127.0.0.1:${running.port}/v1/restore`, {
    method: "POST",
    body: Buffer.from(make()),
    headers: { "content-type": "application/octet-stream" },
  });
  const { error } = (await answer.json()) as { error: { code: string; message: string } };
  expect(error).toEqual({ code: "invalid_argument", message: expect.stringMatching(reason) });
  expect(answer.status).toBe(400);
  expect(await contentOf(folder)).toEqual(before);
  const routes = (await running.get("/v1/routes")).body["routes"];
  expect(routes).toMatchObject([{ caller: "m", target: "//barker(2)", percent: 10 }]);
});

/** Runs `directory restore FILE` on the store of a directory that does not run. */
async function restoreIdle(content: string | Uint8Array): Promise<{ code: number; output: string }> {
  const file = join(folder, "backup");
  await writeFile(file, content);
  const output: string[] = [];
  const process: ProcessLike = {
    argv: [],
    env: { HOME: folder, XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder },
    pid: 1,
    stdout: (text) => void output.push(text),
    stderr: (text) => void output.push(text),
    onSignal: () => () => {},
    onCrash: () => () => {},
    exit: () => {},
  };
  const code = await runDaemon(directoryDaemon, { process, argv: ["restore", file, "--data-dir", idle] });
  await rm(file);
  return { code, output: output.join("") };
}

test.each(REFUSALS)("directory restore of %s is refused, and nothing is written", async (_, make, reason) => {
  const before = await contentOf(folder);
  const { code, output } = await restoreIdle(make());
  expect(output).toMatch(reason);
  expect(output).toMatch(/^directory: Cannot restore .*backup: /);
  expect(code).toBe(1);
  expect(await contentOf(folder)).toEqual(before);
});

test("a change after a backup that was refused is made as ever, and a good backup is taken", async () => {
  const change = async (percent: number) => (await running.send("POST", "/v1/routes", { ...ROUTE, percent })).status;
  expect(await change(20)).toBe(200);
  const restored = await fetch(`http://127.0.0.1:${running.port}/v1/restore`, {
    method: "POST",
    body: added(line({ tenant: "acme" }), record("caller/x", { name: "x", kind: "library", seenMs: 1 })),
    headers: { "content-type": "application/octet-stream" },
  });
  expect(restored.status).toBe(200);
  expect((await running.get("/v1/routes")).body["routes"]).toMatchObject([{ percent: 10 }]);
  expect(await change(30)).toBe(200);
  expect(await readdir(join(folder, "running", "tenants"))).toEqual(["acme"]);
});

/** A database as version 0.1.0 made its backups, and what is then made of it. */
async function oldBackup(spoil: (database: DatabaseSync) => void = () => {}): Promise<string> {
  const place = await mkdtemp(join(folder, "old-"));
  const store = await openEmbeddedStore(place, "backup");
  await store.commit([
    { key: "caller/m", value: { name: "m", kind: "sherlock", seenMs: 1 }, version: 0 },
    {
      key: "tenants/acme",
      value: {
        records: [{ key: "caller/t", value: { name: "t", kind: "library", seenMs: 2 } }],
        registrations: [stored],
      },
      version: 0,
    },
  ]);
  await store.replication.save({ stored: [stored], gone: [] });
  await store.close();
  const path = join(place, STORE_FILE);
  const database = new DatabaseSync(path);
  spoil(database);
  database.close();
  return path;
}

test("readOldBackup() reads what version 0.1.0 made, and leaves the file as it is", async () => {
  const path = await oldBackup();
  const before = await contentOf(join(path, ".."));
  expect(await readOldBackup(path)).toEqual({
    records: [{ key: "caller/m", value: { name: "m", kind: "sherlock", seenMs: 1 } }],
    registrations: [stored],
    tenants: new Map([
      [
        "acme",
        { records: [{ key: "caller/t", value: { name: "t", kind: "library", seenMs: 2 } }], registrations: [stored] },
      ],
    ]),
  });
  expect(await contentOf(join(path, ".."))).toEqual(before);
  const { code, output } = await restoreIdle(await readFile(path));
  expect(output).toMatch(/^Restored 1 records, and the tables of acme, from /);
  expect(code).toBe(0);
});

const ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)";

test.each<[string, (database: DatabaseSync) => void, RegExp]>([
  [
    "whose records are a view without an end",
    (database) =>
      database.exec(
        `DROP TABLE records; CREATE VIEW records AS ${ENDLESS} SELECT 'k' AS key, 'v' AS value, max(x) AS version, 0 AS sum FROM c`,
      ),
    /its tables are none/,
  ],
  [
    "whose records are a view of any size",
    (database) =>
      database.exec(
        "DROP TABLE records; CREATE VIEW records AS SELECT 'k' AS key, hex(zeroblob(400000000)) AS value, 1 AS version, 0 AS sum",
      ),
    /its tables are none/,
  ],
  [
    "with a trigger",
    (database) =>
      database.exec(
        `CREATE TRIGGER t BEFORE INSERT ON records BEGIN INSERT INTO counters ${ENDLESS} SELECT x, x FROM c; END`,
      ),
    /its tables are none/,
  ],
  ["with another index", (database) => database.exec("CREATE INDEX i ON records (hex(value))"), /its tables are none/],
  ["with another table", (database) => database.exec("CREATE TABLE x (y)"), /its tables are none/],
  ["without a table", (database) => database.exec("DROP TABLE registrations"), /its tables are none/],
  [
    "with a checksum that is wrong",
    (database) => database.exec("UPDATE records SET sum = sum + 1"),
    /checksum of .* is wrong/,
  ],
  ["with a row of another type", (database) => database.exec("UPDATE records SET value = x'00'"), /of another type/],
])("readOldBackup() refuses a database %s, at once", async (_, spoil, reason) => {
  const path = await oldBackup(spoil);
  await expect(readOldBackup(path)).rejects.toMatchObject({ code: "damaged", message: expect.stringMatching(reason) });
  const posted = await fetch(`http://127.0.0.1:${running.port}/v1/restore`, {
    method: "POST",
    body: await readFile(path),
    headers: { "content-type": "application/octet-stream" },
  });
  expect(posted.status).toBe(400);
  expect(await posted.text()).toContain("it is a database, as version 0.1.0 made them");
});

test("readOldBackup() gives up a file that takes too long, and is not kept by its reader", async () => {
  const path = await oldBackup();
  // On a busy machine the reader may be done before anybody looks at the time.
  await eventually(() => expect(readOldBackup(path, 0)).rejects.toThrow("takes more than 0 s to read"));
});
