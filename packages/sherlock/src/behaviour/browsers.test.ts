import { hostname } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { instance, service, catalogOf } from "../testing/entities.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";
import { exchange, type RawInstance, requestOf, startRaw } from "../testing/raw.ts";

/** A web page of another site reaches no service through its reader's browser (docs/security.md). */

const UA = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0";
let folder: string;
let machine: Machine;
let raw: RawInstance;

beforeAll(async () => {
  folder = await temporaryFolder();
  raw = await startRaw();
  const table = catalogOf(service("barker"), instance("barker", "a", { url: raw.url }));
  const settings = { hosts: ["app.example.com"] };
  machine = await startMachine({ table, runDir: folder, port: await freePort(), settings });
});

afterAll(async () => {
  await machine?.stop();
  raw.close();
  await removeFolder(folder);
});

async function ask(
  path: string,
  ...headers: readonly string[]
): Promise<[status: number, answer: string, seen: number]> {
  const before = raw.heads.length;
  const answer = await exchange(machine.port, requestOf(`GET ${path} HTTP/1.1`, ...headers));
  return [Number(answer.split(" ")[1]), answer, raw.heads.length - before];
}

const MARKS = [[UA], ["Origin: http://localhost:3000"], ["Sec-Fetch-Site: cross-site"]] as const;

describe.each(MARKS)("what a browser sends, known by %s,", (mark) => {
  test.each([
    "localhost",
    "localhost:5432",
    "LOCALHOST:5432",
    "127.0.0.1:5432",
    "127.8.9.1",
    "[::1]:5432",
    "anything.localhost",
    "barker",
    "barker.localhost:5432",
    "barker.",
    "localhost.:5432",
    "app.example.com",
    "App.Example.com:80",
    hostname(),
  ])("passes with Host %s", async (host) => {
    expect(await ask("/barker/x", `Host: ${host}`, mark)).toMatchObject([200, expect.anything(), 1]);
  });

  test.each([
    "evil.com",
    "evil.com:5432",
    "localhost.evil.com",
    "127.0.0.1.evil.com",
    "barker.evil.com",
    "xapp.example.com",
    "app.example.com.evil.com",
    "0.0.0.0:5432",
    "192.168.0.1",
    "[fe80::1]",
    "notlocalhost",
  ])("is refused with Host %s", async (host) => {
    const [status, answer, seen] = await ask("/barker/x", `Host: ${host}`, mark);
    expect([status, seen]).toEqual([403, 0]);
    expect(answer).toContain(
      `403: forbidden: ${host
        .toLowerCase()
        .replace(/:5432$/, "")
        .replace(/[[\]]/g, "?")} is no name of`,
    );
    expect(answer).toContain("hosts in sherlock.yaml");
  });

  test.each(["/", "/nope", "/barker"])("is refused for %s before anything is told of it", async (path) => {
    expect(await ask(path, "Host: evil.com", mark)).toMatchObject([403, expect.anything(), 0]);
  });
});

test.each([
  "http://localhost",
  "https://localhost:8443",
  "http://127.0.0.1:3000",
  "http://[::1]:3000",
  "http://barker",
  "http://barker.localhost:5432",
  "https://app.example.com",
])("Origin %s may ask", async (origin) => {
  expect(await ask("/barker/x", "Host: localhost:5432", `Origin: ${origin}`)).toMatchObject([
    200,
    expect.anything(),
    1,
  ]);
});

test.each([
  "http://evil.com",
  "http://localhost.evil.com",
  "https://evil.com:5432",
  "null",
  "chrome-extension://abcdef",
  "file://",
  "http://barker@evil.com",
  "",
])("Origin %j may not", async (origin) => {
  const [status, answer, seen] = await ask("/barker/x", "Host: localhost:5432", `Origin: ${origin}`);
  expect([status, seen]).toEqual([403, 0]);
  expect(answer).toContain("hosts in sherlock.yaml");
});

test("what no browser sends passes under any name", async () => {
  expect(await ask("/barker/x", "Host: evil.com", "User-Agent: curl/8.0 Mozilla/5.0")).toMatchObject([
    200,
    expect.anything(),
    1,
  ]);
});

test("a page of 403 repeats nothing that could be a script", async () => {
  const headers = ["Host: localhost", "Accept: text/html", "Origin: http://<script>alert(1)</script>"];
  expect((await ask("/barker/x", ...headers))[1]).not.toContain("<script>");
});

test("a listener that other machines reach looks at no names: they have to be its users' own", async () => {
  const other = await temporaryFolder();
  const table = catalogOf(service("barker"), instance("barker", "a", { url: raw.url }));
  const port = await freePort();
  const open = await startMachine({ table, runDir: other, port, settings: { listen: { host: "0.0.0.0", port } } });
  expect(await exchange(port, requestOf("GET /barker/x HTTP/1.1", "Host: evil.com", UA))).toMatch(/^HTTP\/1\.1 200 /);
  await open.stop();
  await removeFolder(other);
});
