import { FRAME_BYTES_MAX } from "@datawire/protocol";
import { expect, test } from "vitest";
import { welcome } from "../testing/entities.ts";
import { startLink } from "../testing/start-link.ts";

test("runLink() says hello with what it has and waits for the welcome", async () => {
  const { network, events, states, accept } = await startLink({
    subscribe: { services: ["barker"], have: () => ({ epoch: "e", revision: 3 }), holds: () => 7 },
  });
  expect(states.at(-1)).toEqual({ state: "connecting", directory: "//one/directory" });
  await accept();
  expect(network.last().received).toEqual([
    {
      type: "hello",
      link: { min: 1, max: 1 },
      kind: "sherlock",
      name: "monolith",
      id: "12345678",
      version: "0.1.0",
      subscribe: { services: ["barker"], have: { epoch: "e", revision: 3 }, holds: 7 },
    },
  ]);
  expect(events).toEqual(["connected"]);
  expect(states.at(-1)).toEqual({ state: "connected", directory: "//one/directory", welcome });
});

test("runLink() hands over messages and ignores types that it does not know", async () => {
  const { network, events, accept } = await startLink();
  await accept();
  network.last().send({ type: "warm" });
  network.last().events.text('{"type":"sing"}');
  network.last().send({ type: "error", code: "unsupported", message: "no such message", fatal: false });
  expect(events).toEqual(["connected", "warm", "error"]);
  expect(network.last().state).toBe("open");
});

test("runLink() does not speak a version of the link that it does not know", async () => {
  const { clock, network, states } = await startLink();
  network.last().events.opened();
  network.last().send({ ...welcome, link: 2 });
  await clock.advance(0);
  expect(network.last().state).toBe("terminated");
  expect(states.at(-1)).toMatchObject({
    state: "waiting",
    refused: true,
    reason: "//one/directory: it speaks version 2 of the link, wanted 1 to 1",
  });
});

test("runLink() opens a link again, with a wait, when what it brought cannot be handled", async () => {
  const broken = { connected: false, message: true, disconnected: true };
  const { clock, network, logs, states } = await startLink(
    {},
    {
      connected() {
        if (broken.connected) throw new TypeError("no such thing");
      },
      message() {
        if (broken.message) throw new TypeError("parseServiceAddress is not amused");
      },
      disconnected() {
        if (broken.disconnected) throw new TypeError("cannot end");
      },
    },
  );
  network.last().events.opened();
  network.last().send(welcome);
  network.last().send({ type: "warm" });
  expect(network.last().closed).toBe(1011);
  network.last().send({ type: "warm" }); // what still comes over it is nobody's
  await clock.advance(0);
  expect(logs).toEqual([
    "info: Connected to the directory",
    "error: Link failed, opening it again",
    "error: End of a link not handled",
    expect.stringMatching(/^warn: /),
  ]);
  expect(states.at(-1)).toMatchObject({
    state: "waiting",
    reason: "//one/directory: what it said could not be handled: parseServiceAddress is not amused",
  });
  await clock.advance(10_000);
  expect(network.connections.length).toBeGreaterThan(1);
  broken.connected = true;
  network.last().events.opened();
  network.last().send(welcome);
  expect(network.last().closed).toBe(1011);
});

test.each([
  ["garbage", "%%", "it sent something that is no JSON"],
  ["another first message", '{"type":"warm"}', "it began with warm, wanted welcome"],
])("runLink() breaks off at %s", async (_, text, reason) => {
  const { clock, network, states } = await startLink();
  network.last().events.opened();
  network.last().events.text(text);
  await clock.advance(0);
  expect(network.last().state).toBe("terminated");
  expect(states.at(-1)).toMatchObject({ state: "waiting", refused: false, reason: `//one/directory: ${reason}` });
});

test("runLink() gives up on a handshake that hangs", async () => {
  const { clock, network, states } = await startLink();
  network.last().events.opened();
  await clock.advance(5_000);
  expect(network.connections[0]?.state).toBe("terminated");
  expect(states.at(-1)).toMatchObject({ state: "waiting", reason: "//one/directory: no answer within 5 s" });
});

test("runLink() takes a link for dead after two and a half silent heartbeats", async () => {
  const { clock, network, events, accept } = await startLink();
  await accept();
  await clock.advance(12_000);
  network.last().events.alive();
  await clock.advance(12_499);
  expect(events).toEqual(["connected"]);
  await clock.advance(1);
  expect(events).toEqual(["connected", "disconnected: it was silent for 12.5 s"]);
  expect(network.connections[0]?.state).toBe("terminated");
  expect(network.connections.length).toBe(2);
});

test.each([
  [60_000, "stopped"],
  [13_000, "busy"],
])("runLink() does not cut a link for %i ms in which it was %s itself and read nothing", async (ms) => {
  const { clock, network, events, accept } = await startLink();
  await accept();
  await clock.advance(10_000);
  clock.stall(ms);
  await clock.advance(0); // timers come before what was sent meanwhile is read
  network.last().events.alive();
  await clock.advance(12_000);
  expect(events).toEqual(["connected"]);
  await clock.advance(1_000);
  expect(events).toEqual(["connected", "disconnected: it was silent for 12.5 s"]);
});

test("runLink() does not give up on a handshake that was answered while it was stopped", async () => {
  const { clock, network, events } = await startLink();
  network.last().events.opened();
  await clock.advance(1_000);
  clock.stall(60_000);
  await clock.advance(0);
  network.last().send(welcome);
  await clock.advance(0);
  expect(events).toEqual(["connected"]);
});

test("runLink() closes cleanly when the signal aborts, and waits for the answer", async () => {
  const { clock, network, events, stop, accept } = await startLink();
  await accept();
  stop.abort();
  await clock.advance(0);
  expect(network.last().state).toBe("closing");
  expect(events).toEqual(["connected", "disconnected: stopping"]);
  network.last().events.closed("closed", false);
  await clock.advance(0);
  expect(events.at(-1)).toBe("ended");
});

test("runLink() does not wait for ever for the answer to its good-bye", async () => {
  const { clock, network, events, stop, accept } = await startLink();
  await accept();
  stop.abort();
  await clock.advance(1_000);
  expect(network.last().state).toBe("terminated");
  expect(events.at(-1)).toBe("ended");
});

test("send() sends while the link is up and says when it is not", async () => {
  const { clock, network, sessions, accept, refuse } = await startLink();
  await accept();
  const update = { type: "update" as const, seq: 1, instances: [], gone: [] };
  expect(sessions[0]?.send({ ...update, gone: ["a@b"] })).toBe(true);
  expect(network.last().received.at(-1)).toEqual({ ...update, gone: ["a@b"] });
  await clock.advance(6_000);
  await refuse();
  expect(sessions[0]?.send({ ...update, gone: [] })).toBe(false);
});

test("send() cuts the link when nothing of what was sent leaves", async () => {
  const { clock, network, events, sessions, accept } = await startLink();
  await accept();
  network.last().bufferedBytes = 5 * FRAME_BYTES_MAX;
  expect(sessions[0]?.send({ type: "update", seq: 1, instances: [], gone: [] })).toBe(false);
  await clock.advance(0);
  expect(events.at(-1)).toBe("disconnected: it takes in nothing of what is sent to it");
});

test("send() does not send what the directory would not take", async () => {
  const { sessions, logs, accept } = await startLink();
  await accept();
  const gone = [" ".repeat(FRAME_BYTES_MAX)];
  expect(sessions[0]?.send({ type: "update", seq: 1, instances: [], gone })).toBe(false);
  expect(logs.at(-1)).toBe("error: Message too large for the link, not sent");
});

test("reconnect() opens another link and says hello again", async () => {
  const { clock, network, events, sessions, accept } = await startLink();
  await accept();
  await clock.advance(6_000);
  sessions[0]?.reconnect("a gap");
  await clock.advance(0);
  expect(events).toEqual(["connected", "disconnected: a gap"]);
  expect(network.connections.length).toBe(2);
});
