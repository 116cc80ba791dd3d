import { type AddressInfo, connect, createServer, type Server } from "node:net";
import fc from "@datawire/protocol/testing/random";
import { exchangeHttp1, InvalidResponse, RESPONSE_LIMITS } from "@datawire/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instance, service, catalogOf } from "../testing/entities.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";

/**
 * The same bytes as the answer to a check of Watson's, which makes this exchange, and as that to a request through
 * HAProxy: an instance is live for the one exactly when the other passes its answers on.
 */
let folder: string;
let machine: Machine;
let server: Server;
let instancePort: number;
/** The version that checks read as; others refuse a little more, and what they pass on has to pass here as well. */
let isReference: boolean;
/** What the instance answers now. */
let answer = Buffer.alloc(0);

beforeAll(async () => {
  folder = await temporaryFolder();
  server = createServer((socket) => {
    let asked = "";
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      asked += chunk.toString("latin1");
      if (asked.includes("\r\n\r\n")) socket.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  instancePort = (server.address() as AddressInfo).port;
  const table = catalogOf(service("s"), instance("s", "a", { url: `http://127.0.0.1:${instancePort}` }));
  machine = await startMachine({ table, runDir: folder, port: await freePort() });
  isReference = /^Version: 2\.6\./m.test(await machine.process.runtime.ask("show info"));
});

afterAll(async () => {
  await machine.stop();
  server.close();
  await removeFolder(folder);
});

/** The status that a client of the instance's is given: by the check, and by HAProxy. */
async function verdicts(raw: string): Promise<{ readonly check: number | string; readonly traffic: number }> {
  answer = Buffer.from(raw, "latin1");
  const request = { method: "GET", path: "/x", headers: { host: "a" }, bodyBytesMax: null };
  const check = await exchangeHttp1(request, connect(instancePort, "127.0.0.1"), new AbortController().signal).then(
    ({ status }) => status,
    (error: unknown) => (error instanceof InvalidResponse ? error.message : "no answer"),
  );
  return { check, traffic: await statusThroughHaproxy() };
}

/** Of an answer that breaks off in its body HAProxy passes the head on, or not, by how the bytes come: it is asked again. */
async function settled(raw: string): ReturnType<typeof verdicts> {
  let found = await verdicts(raw);
  for (let i = 0; i < 10 && isSuccess(found.check) !== isSuccess(found.traffic); i++) found = await verdicts(raw);
  return found;
}

/** Reads without a parser: of what HAProxy passes on, clients refuse a part. */
function statusThroughHaproxy(): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(machine.port, "127.0.0.1");
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString("latin1")));
    socket.on("error", reject);
    socket.on("close", () => {
      const statuses = [...text.matchAll(/(?:^|\r\n\r\n)HTTP\/1\.[01] (\d+)/g)].map((match) => Number(match[1]));
      resolve(statuses.find((status) => status < 100 || status >= 200) ?? 0);
    });
    socket.write("GET /s/x HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n");
  });
}

const isSuccess = (status: number | string): boolean => typeof status === "number" && status >= 200 && status < 300;

const OK = "HTTP/1.1 200 OK\r\n";
const BODY = "Content-Length: 2\r\n\r\nok";
/** Of the value of one header beside a length: RESPONSE_LIMITS counts 8 bytes for each of four parts. */
const LONGEST = RESPONSE_LIMITS.bytes - "HTTP/1.1200OKXContent-Length2".length - 4 * 8;
const CHUNKS = "\r\n2\r\nok\r\n0\r\n\r\n";

test.each<[string, string, boolean]>([
  ["a plain answer", `${OK}${BODY}`, true],
  ["chunked", `${OK}Transfer-Encoding: Chunked\r\n${CHUNKS}`, true],
  ["chunked twice", `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n${CHUNKS}`, false],
  ["chunked twice in one header", `${OK}Transfer-Encoding: chunked, chunked\r\n${CHUNKS}`, false],
  ["gzip, then chunked", `${OK}Transfer-Encoding: gzip, chunked\r\n${CHUNKS}`, false],
  ["identity", `${OK}Transfer-Encoding: identity\r\n\r\nok`, false],
  ["chunked with a length", `${OK}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n${CHUNKS}`, true],
  ["chunks that are none", `${OK}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, false],
  ["a length with a sign", `${OK}Content-Length: +2\r\n\r\nok`, false],
  ["an empty length", `${OK}Content-Length:\r\n\r\nok`, false],
  ["the same length twice", `${OK}Content-Length: 2\r\n${BODY}`, true],
  ["two lengths", `${OK}Content-Length: 3\r\n${BODY}`, false],
  ["a space in a name", `${OK}X Y: 1\r\n${BODY}`, false],
  ["a space before the colon", `${OK}X : 1\r\n${BODY}`, false],
  ["a letter beyond ASCII in a name", `${OK}X\xe9: 1\r\n${BODY}`, false],
  ["no colon", `${OK}XY\r\n${BODY}`, false],
  ["no name", `${OK}: 1\r\n${BODY}`, false],
  ["letters beyond ASCII in a value", `${OK}X: \xe9\xff\r\n${BODY}`, true],
  ["a carriage return in a value", `${OK}X: a\rb\r\n${BODY}`, false],
  ["a folded value", `${OK}X: a\r\n b\r\n${BODY}`, true],
  ["a fold before any header", `${OK} X: a\r\n${BODY}`, false],
  ["line feeds alone", `${OK}${BODY}`.replaceAll("\r", ""), true],
  ["no reason", `HTTP/1.1 200\r\n${BODY}`, true],
  ["an empty line first", `\r\n${OK}${BODY}`, true],
  ["HTTP/1.0", `HTTP/1.0 200 OK\r\n\r\nok`, true],
  ["HTTP/0.9", "ok\n", false],
  ["HTTP/2 in words", `HTTP/2 200 OK\r\n${BODY}`, false],
  ["a protocol of another kind", "SSH-2.0-OpenSSH_9.2\r\n", false],
  ["interim answers", `HTTP/1.1 103 Early\r\nLink: a\r\n\r\n`.repeat(20) + `${OK}${BODY}`, true],
  ["a switch of protocols", `HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n`, false],
  ["nothing", "", false],
  ["half a head", `${OK}X: `, false],
  ["as many headers as there may be", `${OK}${"X: a\r\n".repeat(RESPONSE_LIMITS.headers - 1)}${BODY}`, true],
  ["more headers than there may be", `${OK}${"X: a\r\n".repeat(RESPONSE_LIMITS.headers)}${BODY}`, false],
  ["as long a head as there may be", `${OK}X: ${"a".repeat(LONGEST)}\r\n${BODY}`, true],
  ["a longer head than there may be", `${OK}X: ${"a".repeat(LONGEST + 1)}\r\n${BODY}`, false],
  ["a head without an end", `${OK}X: ${"a".repeat(2 * LONGEST)}`, false],
])("a check and the traffic agree on %s", async (_, raw, live) => {
  const { check, traffic } = await verdicts(raw);
  expect({ check, live: isSuccess(check) }).toMatchObject({ live });
  expect({ traffic, live: isSuccess(traffic) }).toMatchObject({ live });
});

const eol = fc.constantFrom("\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n", "");
const odd = fc.constantFrom(
  "",
  " ",
  "\t",
  "\x01",
  "\x7f",
  "\x80",
  "\xff",
  '"',
  "(",
  "@",
  ":",
  ",",
  ";",
  "/",
  "\r",
  "\n",
  "é",
);
const statusLine = fc
  .tuple(
    fc.constantFrom(
      "HTTP/1.1",
      "HTTP/1.1",
      "HTTP/1.1",
      "HTTP/1.0",
      "HTTP/0.9",
      "HTTP/2.0",
      "HTTP/1.11",
      "http/1.1",
      "HTTP/1,1",
      "RTSP/1.0",
      "XTTP/1.1",
    ),
    fc.constantFrom(" ", " ", " ", "  ", "\t", ""),
    fc.constantFrom("200", "200", "200", "204", "299", "301", "404", "500", "20", "0200", "2x0", "-200", "100", "103"),
    fc.constantFrom(" OK", " OK", "", " ", "\tOK", "OK", " \xe9\x01", "  "),
  )
  .map((parts) => parts.join(""));
const framing = fc.constantFrom(
  "Content-Length: 2",
  "content-length:2",
  "Content-Length: 2, 2",
  "Content-Length: 2,",
  "Content-Length: ,2",
  "Content-Length: 02",
  "Content-Length: 2 2",
  "Content-Length: 0x2",
  "Content-Length: 18446744073709551615",
  "Content-Length: 9223372036854775807",
  "Content-Length: -0",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: ,chunked",
  "Transfer-Encoding: chunked,",
  "Transfer-Encoding:",
  "Transfer-Encoding: chunked;q=1",
  "Transfer-Encoding: \tchunked ",
  "Transfer-Encoding: xchunked",
  'Transfer-Encoding: "chunked"',
  "Connection: close",
  "Connection: upgrade",
  "Connection: keep-alive, x",
  "Upgrade: h2c",
  "Trailer: x",
  "Keep-Alive: timeout=5",
);
const header = fc.oneof(
  { weight: 3, arbitrary: framing },
  fc
    .tuple(fc.constantFrom("X", "x-y", "Set-Cookie", "1"), odd, fc.constantFrom(":", ": ", " :", ""), odd)
    .map((parts) => parts.join("")),
  fc.constantFrom(" folded", "\tfolded", "X: a", "Date: now", "Server: x"),
);
const body = fc.constantFrom(
  "ok",
  "2\r\nok\r\n0\r\n\r\n",
  "2\nok\n0\n\n",
  "2 ;a=b\r\nok\r\n0\r\n\r\n",
  "02\r\nok\r\n0\r\n\r\n",
  "",
  "zz",
  "\r\n",
);
const response = fc
  .tuple(
    statusLine,
    eol,
    fc.array(fc.tuple(header, eol), { maxLength: 4 }),
    fc.constantFrom("\r\n", "\r\n", "\n", "\r"),
    body,
  )
  .map(([line, end, headers, empty, rest]) => `${line}${end}${headers.flat().join("")}${empty}${rest}`);

const whole = fc.constantFrom<string>(
  `${OK}Date: Mon, 30 Nov 2026 00:00:00 GMT\r\nSet-Cookie: a=b; Path=/\r\n${BODY}`,
  `${OK}Server: x\r\nTransfer-Encoding: chunked\r\nTrailer: y\r\n${CHUNKS}`,
  `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n${BODY}`,
  `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}${BODY}`,
);
/** A NUL is left out: this HAProxy passes it on, and later ones refuse it as checks do. */
const byte = fc
  .oneof(fc.constantFrom(9, 10, 13, 32, 44, 58), fc.integer({ min: 1, max: 255 }))
  .map((code) => String.fromCharCode(code));
const edit = fc.record({ at: fc.nat(160), remove: fc.nat(2), insert: fc.array(byte, { maxLength: 2 }) });
const mutated = fc.tuple(whole, fc.array(edit, { minLength: 1, maxLength: 3 })).map(([raw, edits]) =>
  edits.reduce((text, { at, remove, insert }) => {
    const place = at % text.length;
    return text.slice(0, place) + insert.join("") + text.slice(place + remove);
  }, raw),
);

test("a check and the traffic agree on answers that nobody would write by hand", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(response, mutated), async (raw) => {
      const { check, traffic } = await settled(raw);
      const live = isSuccess(check) && (isReference || isSuccess(traffic));
      expect({ raw, check, traffic, live }).toEqual({ raw, check, traffic, live: isSuccess(traffic) });
    }),
    { numRuns: process.env["DSTACK_SOAK"] === "1" ? 50_000 : 400 },
  );
});
