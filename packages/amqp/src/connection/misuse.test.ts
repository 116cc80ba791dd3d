import { expect, test } from "vitest";
import { protocolHeader } from "../frames/protocol-header.ts";
import { createSaslServer } from "../sasl/mechanisms.ts";
import { frame, fromHex, performative, splitFrames, toHex } from "../testing/frames.ts";
import { Recorder } from "../testing/pair.ts";
import { Connection } from "./connection.ts";
import type { ConnectionSettings } from "./settings.ts";

/** A server alone, with the frames of a client by hand. */
function serverAlone(settings: Partial<ConnectionSettings> = {}): {
  server: Connection;
  told: Recorder;
  output: () => string;
} {
  const told = new Recorder();
  const server = new Connection({ role: "server", open: { containerId: "server" }, ...settings }, told, 0);
  const output = (): string => {
    const bytes = server.takeOutput(0);
    return bytes === null ? "" : toHex(bytes);
  };
  return { server, told, output };
}

const OPEN = frame(performative("10", "a1 01 63"));
const BEGIN = frame(performative("11", "40", "43", "52 64", "52 64"));

test("Connection gives up a peer that has not sent its open in time", () => {
  const { server, told, output } = serverAlone();
  expect(server.tick(0)).toBe(5_000);
  server.receive(protocolHeader(0), 10);
  expect(server.tick(4_999)).toBe(5_000);
  expect(server.tick(5_000)).toBe(null);
  expect(told.told).toEqual(["closed by us amqp:resource-limit-exceeded"]);
  expect(server.done).toBe(true);
  expect(output()).toContain(toHex(new TextEncoder().encode("amqp:resource-limit-exceeded")));
});

test("Connection gives up a peer that sends more than 10 kB before its open", () => {
  const { server, told } = serverAlone();
  server.receive(protocolHeader(0), 0);
  for (let i = 0; i < 1_300; i++) server.receive(frame(""), 0);
  expect(told.told).toEqual(["closed by us amqp:connection:framing-error"]);
  const announced = serverAlone();
  announced.server.receive(protocolHeader(0), 0);
  announced.server.receive(fromHex("00002710 02 00 0000"), 0);
  expect(announced.told.told).toEqual(["closed by us amqp:connection:framing-error"]);
});

test("Connection answers another protocol with the header that it wants, and is done", () => {
  const http = serverAlone();
  http.server.receive(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"), 0);
  expect([http.output(), http.server.done]).toEqual(["414d515000010000", true]);
  const sasl = serverAlone({ saslServer: createSaslServer({ anonymous: "a" }) });
  sasl.server.receive(protocolHeader(0), 0);
  expect([sasl.output(), sasl.server.done]).toEqual(["414d515003010000", true]);
  const optional = serverAlone({ saslServer: createSaslServer({ anonymous: "a" }), saslRequired: false });
  optional.server.receive(protocolHeader(0), 0);
  expect([optional.output(), optional.server.done]).toEqual(["414d515000010000", false]);
});

const ATTACH = performative("12", "a1 01 6c", "43", "42", "40", "40", "40", "00 53 29 45", "40", "40", "43");

test.each<[string, string, Uint8Array[]]>([
  ["a begin before the open", "close amqp:illegal-state", [BEGIN]],
  ["a second open", "close amqp:illegal-state", [OPEN, OPEN]],
  ["a frame size below 512", "close amqp:invalid-field", [frame(performative("10", "a1 01 63", "40", "70 000001ff"))]],
  [
    "an idle time-out of a millisecond",
    "close amqp:not-allowed",
    [frame(performative("10", "a1 01 63", "40", "40", "40", "52 01"))],
  ],
  ["a frame of SASL after it", "close amqp:connection:framing-error", [OPEN, frame(performative("44", "50 00"), 0, 1)]],
  ["a frame of no known type", "close amqp:connection:framing-error", [OPEN, frame("", 0, 9)]],
  ["a frame that is no performative", "close amqp:decode-error", [OPEN, frame("00 53 70 45")]],
  ["a frame that is nothing", "close amqp:decode-error", [OPEN, frame("40")]],
  [
    "a channel above the highest",
    "close amqp:connection:framing-error",
    [OPEN, frame(performative("11", "40", "43", "52 64", "52 64"), 300)],
  ],
  ["a channel that is in use", "close amqp:not-allowed", [OPEN, BEGIN, BEGIN]],
  [
    "an answer to no begin",
    "close amqp:not-allowed",
    [OPEN, frame(performative("11", "60 0007", "43", "52 64", "52 64"))],
  ],
  ["a flow without a session", "close amqp:not-allowed", [OPEN, frame(performative("13", "40", "43", "43", "43"))]],
  [
    "a handle above the highest",
    "close amqp:connection:framing-error",
    [
      OPEN,
      BEGIN,
      frame(performative("12", "a1 01 6c", "70 00001000", "42", "40", "40", "40", "00 53 29 45", "40", "40", "43")),
    ],
  ],
  ["a handle that is in use", "end amqp:session:handle-in-use", [OPEN, BEGIN, frame(ATTACH), frame(ATTACH)]],
  [
    "a sender without a delivery count",
    "end amqp:invalid-field",
    [OPEN, BEGIN, frame(performative("12", "a1 01 6c", "43", "42"))],
  ],
  [
    "a transfer on no link",
    "end amqp:session:unattached-handle",
    [OPEN, BEGIN, frame(performative("14", "52 05", "43", "a0 01 00"))],
  ],
  [
    "a transfer on a link on which we send",
    "end amqp:not-allowed",
    [
      OPEN,
      BEGIN,
      frame(performative("12", "a1 01 6c", "43", "41", "40", "40", "00 53 28 45")),
      frame(performative("14", "43", "43", "a0 01 00")),
    ],
  ],
  ["a transfer without an id", "end amqp:invalid-field", [OPEN, BEGIN, frame(ATTACH), frame(performative("14", "43"))]],
  [
    "a delivery id out of order",
    "end amqp:invalid-field",
    [OPEN, BEGIN, frame(ATTACH), ...[0, 2].map((id) => frame(performative("14", "43", `52 0${id}`, "a0 01 00")))],
  ],
  [
    "a range of deliveries that ends before it begins",
    "end amqp:invalid-field",
    [OPEN, BEGIN, frame(performative("15", "41", "43", "70 ffffffff", "41", "40"))],
  ],
  [
    "a flow about a transfer that was never sent",
    "end amqp:invalid-field",
    [OPEN, BEGIN, frame(performative("13", "52 05", "43", "43", "43"))],
  ],
  [
    "more transfers than the window has",
    "end amqp:session:window-violation",
    [
      OPEN,
      BEGIN,
      frame(ATTACH),
      ...[0, 1, 2, 3, 4].map((id) => frame(performative("14", "43", `52 0${id}`, "a0 01 00"))),
    ],
  ],
  [
    "a transfer beyond the credit",
    "detach amqp:link:transfer-limit-exceeded",
    [OPEN, BEGIN, frame(ATTACH), ...[0, 1, 2, 3].map((id) => frame(performative("14", "43", `52 0${id}`, "a0 01 00")))],
  ],
])("Connection answers %s with %s", (_, answer, frames) => {
  const { server, told, output } = serverAlone({ incomingWindow: 4 });
  told.onLinkAsked = (link) => {
    link.accept();
    if (link.isReceiver) link.setCredit(answer.startsWith("detach") ? 3 : 9);
  };
  for (const bytes of [protocolHeader(0), ...frames]) server.receive(bytes, 0);
  const [what = "", condition = ""] = answer.split(" ");
  const code = { close: "18", end: "17", detach: "16" }[what];
  const said = splitFrames(fromHex(output()))
    .map(toHex)
    .filter((text) => text.slice(16).startsWith(`0053${code}`));
  expect(said).toHaveLength(1);
  expect(said[0]).toContain(toHex(new TextEncoder().encode(condition)));
  const event = { close: "closed by us", end: "detached l", detach: "detached l closed" }[what];
  if (what !== "end" || told.told.includes("asked l")) expect(told.told.join("\n")).toContain(`${event} ${condition}`);
  expect(server.done).toBe(what === "close");
});

test("Connection gives up a peer that asks and asks, and reads nothing", () => {
  const { server, told } = serverAlone({ outputBytesLimit: 10_000 });
  server.receive(protocolHeader(0), 0);
  server.receive(OPEN, 0);
  server.receive(BEGIN, 0);
  for (let i = 0; i < 1_000 && !server.done; i++) {
    server.receive(frame(ATTACH), 0);
    server.receive(frame(performative("16", "43", "41")), 0);
  }
  expect(told.told.at(-1)).toBe("closed by us amqp:resource-limit-exceeded");
});

test("Connection lets a peer go on before it is let in, and holds no more of it than an open may have", () => {
  const answers: ((identity: string | null) => void)[] = [];
  const later = createSaslServer({ plain: (_, __, answer) => void answers.push(answer) });
  const init = frame(performative("41", "a3 05 504c41494e", `a0 07 00 626f62 00 6869`), 0, 1);
  const early = [protocolHeader(0), OPEN, BEGIN, frame(ATTACH)];
  for (const cut of [1, 3, 1_000]) {
    const { server, told } = serverAlone({ saslServer: later });
    const bytes = Uint8Array.from([protocolHeader(3), init, ...early].flatMap((piece) => [...piece]));
    for (let at = 0; at < bytes.length; at += cut) server.receive(bytes.subarray(at, at + cut), 0);
    expect(told.told).toEqual([]);
    answers.shift()?.("bob");
    expect([server.identity, ...told.told]).toEqual(["bob", "opened c", "began 0", "asked l"]);
  }
  const refused = serverAlone({ saslServer: later });
  for (const bytes of [protocolHeader(3), init, ...early]) refused.server.receive(bytes, 0);
  answers.shift()?.(null);
  expect(refused.told.told).toEqual(["closed by us amqp:unauthorized-access"]);
  const flood = serverAlone({ saslServer: later });
  for (const bytes of [protocolHeader(3), init]) flood.server.receive(bytes, 0);
  for (let i = 0; i < 11; i++) flood.server.receive(new Uint8Array(1_000), 0);
  expect(flood.told.told).toEqual(["closed by us amqp:connection:framing-error"]);
  answers.shift()?.("bob");
  expect(flood.told.told).toHaveLength(1);
});
