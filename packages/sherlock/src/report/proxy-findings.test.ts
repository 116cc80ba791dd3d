import { writeFile } from "node:fs/promises";
import { createServer as createHttps } from "node:https";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import type { ReportedProblem } from "@datawire/protocol";
import { noLog, systemClock } from "@datawire/runtime";
import { expiredCertificate, goodCertificate, testAuthority } from "@datawire/runtime/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseStat } from "../core/observe/statistics.ts";
import { findTlsFailure } from "../setup/tls-failure.ts";
import { ProxyFindings } from "./proxy-findings.ts";
import { change, instance, service, catalogOf } from "../testing/entities.ts";
import { ask } from "../testing/ask.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";
import { Servers } from "../testing/servers.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const CHUNKED_TWICE = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";

const servers = new Servers();
let folder: string;
let machine: Machine;
let table: ReturnType<typeof catalogOf>;
let findings: ProxyFindings;
let told: readonly ReportedProblem[] = [];
/** What `foo` answers now. */
let answer = CHUNKED_TWICE;
const unreachable = new Set<string>();
/** How much later it is than it is. */
let aheadMs = 0;

const raw = (text: () => string): Server =>
  createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => socket.end(text()));
  });

/** HTTP/2 whose answers have a header with a space in its name, which Node's client drops and HAProxy refuses. */
function oddHttp2(): Server {
  const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head.writeUIntBE(type * 256 + flags, 3, 2);
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  };
  // RFC 7541: entry 8 of the static table is `:status: 200`; then a literal without indexing.
  const headers = Buffer.concat([Buffer.of(0x88, 0, 3), Buffer.from("a b"), Buffer.of(1), Buffer.from("y")]);
  return createServer((socket) => {
    let rest = Buffer.alloc(0);
    let preface = 24;
    socket.on("error", () => {});
    socket.write(frame(4, 0, 0, Buffer.alloc(0)));
    socket.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= preface + 9 && rest.length >= preface + 9 + rest.readUIntBE(preface, 3)) {
        const [type, stream] = [rest.readUInt8(preface + 3), rest.readUInt32BE(preface + 5)];
        rest = rest.subarray(preface + 9 + rest.readUIntBE(preface, 3));
        preface = 0;
        if (type === 1) socket.write(frame(1, 5, stream, headers));
      }
    });
  });
}

beforeAll(async () => {
  folder = await temporaryFolder();
  const caFile = join(folder, "ca.pem");
  await writeFile(caFile, testAuthority);
  table = catalogOf(
    service("foo"),
    instance("foo", "one", { url: `http://127.0.0.1:${await servers.listen(raw(() => answer))}` }),
    service("expired"),
    instance("expired", "one", {
      url: `https://localhost:${await servers.listen(createHttps(expiredCertificate, (_, res) => res.end()))}`,
    }),
    service("good"),
    instance("good", "one", {
      url: `https://localhost:${await servers.listen(createHttps(goodCertificate, (_, res) => res.end()))}`,
    }),
    service("nobody"),
    instance("nobody", "one", { url: `http://127.0.0.1:${await freePort()}` }),
    service("odd"),
    instance("odd", "one", { protocol: "h2", url: `http://127.0.0.1:${await servers.listen(oddHttp2())}` }),
    service("silent"),
    instance("silent", "one", { url: `http://127.0.0.1:${await servers.listen(raw(() => ""))}` }),
  );
  machine = await startMachine({ table, runDir: folder, port: await freePort(), caFile });
  findings = new ProxyFindings({
    clock: { nowMs: () => systemClock.nowMs() + aheadMs, monotonicMs: () => systemClock.nowMs() + aheadMs },
    log: noLog,
    runtime: machine.process.runtime,
    planning: machine.planning,
    names: machine.names,
    board: { set: (_, problems) => void (told = problems) },
    onUnreachable: (host) => void unreachable.add(host),
    findTlsFailure: (target) => findTlsFailure(target, caFile),
  });
});

afterAll(async () => {
  await machine.stop();
  servers.close();
  await removeFolder(folder);
});

/** Asks each service, looks, and gives what is told. */
async function look(): Promise<string[]> {
  for (const name of table.serviceNames()) await ask(machine.port, `/${name}/`);
  await findings.look(parseStat(await machine.process.runtime.ask("show stat -1 4 -1")));
  return told.map(
    ({ subject, message }) =>
      `${subject} ${message.replace(/:\d+\b/g, ":PORT").replace(/\d+ requests/g, "N requests")}`,
  );
}

test("ProxyFindings tells of each instance why HAProxy cannot use it, and that it can again", async () => {
  await expect
    .poll(look, { interval: 500 })
    .toEqual([
      "//expired@one live, but HAProxy cannot use it: no TLS with 127.0.0.1:PORT: certificate has expired",
      "//foo@one live, but HAProxy refuses its answers: its Transfer-Encoding says chunked more than once (N requests or more)",
      "//nobody@one live, but HAProxy cannot use it: no connection to 127.0.0.1:PORT: connection refused",
      "//odd@one live, but HAProxy gets no answers from it: N requests in a row got no answer",
      "//silent@one live, but HAProxy gets no answers from it: N requests in a row got no answer",
    ]);
  expect(told.every(({ remedy, finding }) => (remedy ?? "").length > 0 && finding !== undefined)).toBe(true);
  expect([...unreachable].toSorted()).toEqual(["127.0.0.1", "localhost"]);
  // An instance of another kind in its place, and Watson's word that the others are down.
  table.apply(change(instance("expired", "one", { state: "down" }), instance("nobody", "one", { state: "down" })));
  await machine.follow(["expired", "nobody"]);
  answer = OK;
  aheadMs = 60_000;
  const subjects = async (): Promise<string[]> => (await look()).map((text) => text.split(" ")[0] ?? "");
  await expect.poll(subjects, { interval: 500 }).toEqual(["//odd@one", "//silent@one"]);
});
