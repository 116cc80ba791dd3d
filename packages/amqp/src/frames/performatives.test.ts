import { expect, test } from "vitest";
import { fromHex, toHex } from "../testing/frames.ts";
import { WireFailure } from "../types/conditions.ts";
import { Reader } from "../types/reader.ts";
import { Described, symbol } from "../types/values.ts";
import { Writer } from "../types/writer.ts";
import {
  ACCEPTED,
  type DeliveryState,
  isOutcome,
  readDeliveryState,
  RELEASED,
  writeDeliveryState,
} from "./delivery-state.ts";
import { DESCRIPTOR_BY_SYMBOL } from "./descriptors.ts";
import { Disposition, writeDisposition } from "./disposition.ts";
import { Flow } from "./flow.ts";
import { FrameWriter } from "./frame-writer.ts";
import * as performatives from "./performatives.ts";
import * as sasl from "./sasl-frames.ts";
import { Transfer, writeAbort, writeTransfer, setMore } from "./transfer.ts";

/** Reads a described type as a connection does: the descriptor first. */
function read<T>(bytes: Uint8Array, readBody: (reader: Reader) => T): T {
  const reader = new Reader(bytes);
  reader.descriptor(DESCRIPTOR_BY_SYMBOL);
  const value = readBody(reader);
  expect(reader.at).toBe(reader.end);
  return value;
}

function written(write: (writer: Writer) => void): Uint8Array {
  const writer = new Writer();
  write(writer);
  return writer.take();
}

type Case = [string, object, (writer: Writer) => void, (reader: Reader) => unknown, string];

function row<T extends object>(
  name: string,
  value: T,
  write: (writer: Writer, value: T) => void,
  readBody: (reader: Reader) => unknown,
  bytes: string,
): Case {
  return [name, value, (writer) => write(writer, value), readBody, bytes];
}

const { readOpen, readBegin, readAttach, readDetach, readEnding } = performatives;
const { writeOpen, writeBegin, writeAttach, writeDetach, writeEnd, writeClose } = performatives;

// The bytes are written out by hand from parts 2.7, 3 and 5.3 of the specification, in the forms that we write.
test.each<Case>([
  row("open", { containerId: "c" }, writeOpen, readOpen, "00 53 10 d0 00000007 00000001 a1 01 63"),
  row(
    "open with everything",
    {
      containerId: "c",
      hostname: "h",
      maxFrameSize: 512,
      channelMax: 9,
      idleTimeout: 1_000,
      outgoingLocales: ["en"],
      incomingLocales: ["de"],
      offeredCapabilities: ["a"],
      desiredCapabilities: ["b", "c"],
      properties: new Map([["p", 1]]),
    },
    writeOpen,
    readOpen,
    `00 53 10 d0 00000068 0000000a a1 01 63 a1 01 68 70 00000200 60 0009 70 000003e8
     f0 0000000b 00000001 b3 00000002 656e  f0 0000000b 00000001 b3 00000002 6465
     f0 0000000a 00000001 b3 00000001 61    f0 0000000f 00000002 b3 00000001 62 00000001 63
     d1 00000009 00000002 a3 01 70 54 01`,
  ),
  row(
    "begin",
    { remoteChannel: 1, nextOutgoingId: 0, incomingWindow: 2, outgoingWindow: 3, handleMax: 4 },
    writeBegin,
    readBegin,
    "00 53 11 d0 0000000e 00000005 60 0001 43 52 02 52 03 52 04",
  ),
  row(
    "attach",
    {
      name: "l",
      handle: 0,
      role: true,
      sndSettleMode: 2,
      rcvSettleMode: 1,
      source: {
        address: "q",
        durable: 1,
        expiryPolicy: "never" as const,
        filter: new Map([["f", new Described(symbol("s"), "x")]]),
      },
      target: { address: "t", dynamic: true },
    },
    writeAttach,
    readAttach,
    `00 53 12 d0 0000004f 00000007 a1 01 6c 43 41 50 02 50 01
     00 53 28 d0 00000027 00000008 a1 01 71 52 01 a3 05 6e65766572 40 40 40 40
       d1 0000000e 00000002 a3 01 66 00 a3 01 73 a1 01 78
     00 53 29 d0 0000000b 00000005 a1 01 74 40 40 40 41`,
  ),
  row(
    "attach to a coordinator",
    {
      name: "l",
      handle: 1,
      role: false,
      target: { type: "coordinator" as const, capabilities: ["amqp:local-transactions"] },
      initialDeliveryCount: 0,
    },
    writeAttach,
    readAttach,
    `00 53 12 d0 00000041 0000000a a1 01 6c 52 01 42 40 40 40
     00 53 30 d0 00000029 00000001 f0 00000020 00000001 b3 00000017 616d71703a6c6f63616c2d7472616e73616374696f6e73
     40 40 43`,
  ),
  row(
    "detach",
    {
      handle: 300,
      closed: true,
      error: { condition: "amqp:not-found", description: "d", info: new Map([["i", "v"]]) },
    },
    writeDetach,
    readDetach,
    `00 53 16 d0 00000038 00000003 70 0000012c 41 00 53 1d d0 00000026 00000003
     a3 0e 616d71703a6e6f742d666f756e64 a1 01 64 d1 0000000a 00000002 a3 01 69 a1 01 76`,
  ),
  row("end", {}, writeEnd, readEnding, "00 53 17 45"),
  row(
    "close",
    { error: { condition: "x" } },
    writeClose,
    readEnding,
    "00 53 18 d0 00000013 00000001 00 53 1d d0 00000007 00000001 a3 01 78",
  ),
  row(
    "mechanisms",
    { saslServerMechanisms: ["PLAIN"] },
    sasl.writeSaslMechanisms,
    sasl.readSaslMechanisms,
    "00 53 40 d0 00000017 00000001 f0 0000000e 00000001 b3 00000005 504c41494e",
  ),
  row(
    "init",
    { mechanism: "PLAIN", initialResponse: fromHex("0001"), hostname: "h" },
    sasl.writeSaslInit,
    sasl.readSaslInit,
    "00 53 41 d0 00000012 00000003 a3 05 504c41494e a0 02 0001 a1 01 68",
  ),
  row("outcome", { code: 1 }, sasl.writeSaslOutcome, sasl.readSaslOutcome, "00 53 44 d0 00000006 00000001 50 01"),
  row(
    "challenge",
    fromHex("0102"),
    sasl.writeSaslChallenge,
    sasl.readSaslBytes,
    "00 53 42 d0 00000008 00000001 a0 02 0102",
  ),
  row(
    "response",
    fromHex("0102"),
    sasl.writeSaslResponse,
    sasl.readSaslBytes,
    "00 53 43 d0 00000008 00000001 a0 02 0102",
  ),
])("%s is written and read as the specification has it", (_, value, write, readBody, bytes) => {
  expect(toHex(written(write))).toBe(bytes.replaceAll(/\s/g, ""));
  expect(read(fromHex(bytes), readBody)).toEqual(value);
});

test.each<[string, string, (reader: Reader) => unknown, unknown]>([
  [
    "an open with list8 and a symbolic descriptor",
    "00 a3 0e 616d71703a6f70656e3a6c697374 c0 04 01 a1 01 63",
    readOpen,
    { containerId: "c" },
  ],
  ["a descriptor of eight bytes", "00 80 0000000000000010 c0 04 01 a1 01 63", readOpen, { containerId: "c" }],
  [
    "one capability without an array",
    "00 53 10 c0 0d 08 a1 01 63 40 40 40 40 40 40 a3 01 61",
    readOpen,
    { containerId: "c", offeredCapabilities: ["a"] },
  ],
  ["nulls at the end", "00 53 16 c0 04 03 43 40 40", readDetach, { handle: 0 }],
])("%s is read, as other peers write it", (_, bytes, readBody, value) => {
  expect(read(fromHex(bytes), readBody)).toEqual(value);
});

test.each<[string, string, (reader: Reader) => unknown]>([
  ["an open without a container", "00 53 10 45", readOpen],
  ["an open with a number for a container", "00 53 10 c0 02 01 43", readOpen],
  ["an open of eleven fields", `00 53 10 c0 0e 0b a1 01 63 ${"40".repeat(10)}`, readOpen],
  ["a begin without windows", "00 53 11 c0 03 02 40 43", readBegin],
  ["an attach without a role", "00 53 12 c0 05 02 a1 01 6c 43", readAttach],
  ["a source that is none", "00 53 12 c0 0c 06 a1 01 6c 43 41 40 40 00 53 10 45", readAttach],
  ["a detach whose size is not that of its fields", "00 53 16 c0 05 01 43 00 00", readDetach],
  ["a detach whose list is beyond its bytes", "00 53 16 c0 50 01 43", readDetach],
  ["properties with a number for a key", "00 53 10 c0 10 0a a1 01 63 40 40 40 40 40 40 40 40 c1 03 02 43 43", readOpen],
])("%s is refused", (_, bytes, readBody) => {
  expect(() => read(fromHex(bytes), readBody)).toThrow(WireFailure);
});

test.each<[DeliveryState, string]>([
  [ACCEPTED, "00 53 24 45"],
  [RELEASED, "00 53 26 45"],
  [{ type: "rejected" }, "00 53 25 45"],
  [
    { type: "rejected", error: { condition: "x" } },
    "00 53 25 d0 00000013 00000001 00 53 1d d0 00000007 00000001 a3 01 78",
  ],
  [{ type: "modified", deliveryFailed: true, undeliverableHere: false }, "00 53 27 d0 00000006 00000002 41 42"],
  [{ type: "received", sectionNumber: 1, sectionOffset: 2 }, "00 53 23 d0 00000008 00000002 52 01 53 02"],
  [{ type: "declared", txnId: fromHex("07") }, "00 53 33 d0 00000007 00000001 a0 01 07"],
  [
    { type: "transactional", txnId: fromHex("07"), outcome: ACCEPTED },
    "00 53 34 d0 0000000b 00000002 a0 01 07 00 53 24 45",
  ],
])("the delivery state %j is written and read", (state, bytes) => {
  expect(toHex(written((writer) => writeDeliveryState(writer, state)))).toBe(bytes.replaceAll(" ", ""));
  expect(readDeliveryState(new Reader(fromHex(bytes)))).toEqual(state);
});

test("readDeliveryState() takes a state that it does not know for one that says nothing, and a frame for a failure", () => {
  expect(readDeliveryState(new Reader(fromHex("00 a3 01 78 45")))).toEqual({ type: "unknown" });
  expect(readDeliveryState(new Reader(fromHex("40")))).toBe(null);
  expect(() => readDeliveryState(new Reader(fromHex("00 53 10 45")))).toThrow(WireFailure);
  const nested = `00 53 34 c0 16 02 a0 01 07 00 53 34 c0 0d 02 a0 01 07 00 53 34 c0 04 01 a0 01 07`;
  expect(() => readDeliveryState(new Reader(fromHex(nested)))).toThrow(WireFailure);
});

test("isOutcome() says which states end a delivery", () => {
  expect([ACCEPTED, RELEASED, { type: "rejected" } as const, { type: "modified" } as const].every(isOutcome)).toBe(
    true,
  );
  expect(isOutcome({ type: "received", sectionNumber: 0, sectionOffset: 0 })).toBe(false);
  expect(isOutcome(null)).toBe(false);
});

const FIELDS = { handle: 1, deliveryId: 2, tag: 3, messageFormat: 0, settled: false, state: null, resume: false };

test.each<[string, (writer: FrameWriter) => void, string, Partial<Transfer>]>([
  [
    "a transfer",
    (writer) => void writeTransfer(writer, FIELDS),
    "00 53 14 c0 0e 06 52 01 52 02 a0 04 00000003 43 42 42",
    { handle: 1, deliveryId: 2, messageFormat: 0, settled: false, more: false, state: null },
  ],
  [
    "a transfer with another after it",
    (writer) =>
      setMore(
        writer,
        writeTransfer(writer, { ...FIELDS, deliveryId: -1, tag: null, messageFormat: -1, settled: true }),
      ),
    "00 53 14 c0 08 06 52 01 40 40 40 41 41",
    { handle: 1, deliveryId: -1, tagStart: -1, messageFormat: -1, settled: true, more: true },
  ],
  [
    "a transfer with a tag beyond 2^32, a state and a resumption",
    (writer) => void writeTransfer(writer, { ...FIELDS, tag: 2 ** 32, state: ACCEPTED, resume: true }),
    "00 53 14 d0 0000001b 00000009 52 01 52 02 a0 08 0000000100000000 43 42 42 40 00 53 24 45 41",
    { resume: true, state: ACCEPTED },
  ],
  [
    "an abort",
    (writer) => writeAbort(writer, 1, 2, fromHex("07")),
    "00 53 14 c0 0f 0a 52 01 52 02 a0 01 07 40 41 42 40 40 40 41",
    { handle: 1, deliveryId: 2, settled: true, aborted: true },
  ],
])("%s is written and read", (_, write, bytes, value) => {
  const writer = new FrameWriter();
  write(writer);
  expect(toHex(writer.take())).toBe(bytes.replaceAll(" ", ""));
  const transfer = new Transfer();
  read(fromHex(bytes), (reader) => transfer.read(reader));
  expect(transfer).toMatchObject(value);
});

test.each([
  ["without a handle", "00 53 14 45"],
  ["with a tag of 33 bytes", `00 53 14 c0 27 03 43 43 a0 21 ${"00".repeat(33)}`],
  ["of twelve fields", `00 53 14 c0 0d 0c 43 ${"40".repeat(11)}`],
])("a transfer %s is refused", (_, bytes) => {
  expect(() => read(fromHex(bytes), (reader) => new Transfer().read(reader))).toThrow(WireFailure);
});

test.each<[string, [boolean, number, number, boolean, DeliveryState | null], string]>([
  ["of one accepted delivery", [true, 5, 5, true, ACCEPTED], "00 53 15 c0 0a 05 41 52 05 40 41 00 53 24 45"],
  ["of a range around 2^32", [false, 0xffff_ffff, 1, true, null], "00 53 15 c0 0a 04 42 70 ffffffff 52 01 41"],
  ["of a released delivery", [true, 0, 0, false, RELEASED], "00 53 15 d0 0000000c 00000005 41 43 40 42 00 53 26 45"],
])("a disposition %s is written and read", (_, fields, bytes) => {
  const writer = new FrameWriter();
  writeDisposition(writer, ...fields);
  expect(toHex(writer.take())).toBe(bytes.replaceAll(" ", ""));
  const disposition = new Disposition();
  read(fromHex(bytes), (reader) => disposition.read(reader));
  const [role, first, last, settled, state] = fields;
  expect(disposition).toEqual({ role, first, last, settled, state });
});

test("a flow is written and read, with a link and without", () => {
  const flow = new Flow();
  const link =
    "00 53 13 c0 1c 0b 40 52 05 43 70 ffffffff 52 01 52 02 52 03 40 41 41 c1 07 02 a3 01 78 a1 01 79".replace(
      "1b",
      "1c",
    );
  read(fromHex(link), (reader) => flow.read(reader));
  expect(flow).toEqual({
    nextIncomingId: -1,
    incomingWindow: 5,
    nextOutgoingId: 0,
    outgoingWindow: 0xffff_ffff,
    handle: 1,
    deliveryCount: 2,
    linkCredit: 3,
    available: -1,
    drain: true,
    echo: true,
    properties: new Map([["x", "y"]]),
  });
  const writer = new FrameWriter();
  flow.write(writer);
  const again = new Flow();
  read(writer.take(), (reader) => again.read(reader));
  expect(again).toEqual(flow);
  flow.properties = null;
  flow.write(writer);
  expect(toHex(writer.take())).toBe("005313c0130a4052054370ffffffff520152025203404141");
  flow.handle = -1;
  flow.write(writer);
  expect(toHex(writer.take())).toBe("005313c00a044052054370ffffffff");
  expect(() => read(fromHex("00 53 13 c0 04 03 43 43 43"), (reader) => flow.read(reader))).toThrow(WireFailure);
});
