import { noLog, type Logger } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { FRAME_BYTES_MAX, parseDirectoryAddress } from "@datawire/protocol";
import { expect, onTestFinished, test } from "vitest";
import { type LinkConfig, type LinkState, runLink } from "./link.ts";
import type { LinkSession } from "./session.ts";
import { welcome } from "./testing/entities.ts";
import { createMemoryNetwork } from "./testing/memory-directory.ts";

/** Starts a link over memory; what happens to it is written down in `events`. */
async function start(config: Partial<LinkConfig> = {}) {
  const clock = createFakeClock();
  const network = createMemoryNetwork();
  const events: string[] = [];
  const logs: string[] = [];
  const states: LinkState[] = [];
  const sessions: LinkSession[] = [];
  const write =
    (level: string) =>
    (message: string): void =>
      void logs.push(`${level}: ${message}`);
  const log: Logger = { ...noLog, info: write("info"), warn: write("warn"), error: write("error") };
  const stop = new AbortController();
  const done = runLink(
    {
      replicas: [parseDirectoryAddress("//one/directory")],
      identity: { kind: "sherlock", name: "monolith", id: "12345678", version: "0.1.0" },
      token: null,
      tls: null,
      subscribe: null,
      ...config,
    },
    {
      clock,
      log,
      random: () => 0.5,
      connect: network.connect,
      onState: (state) => states.push(state),
      handler: {
        connected(session) {
          sessions.push(session);
          events.push("connected");
        },
        disconnected: (reason) => void events.push(`disconnected: ${reason}`),
        message: (message) => void events.push(message.type),
      },
    },
    stop.signal,
  ).then(() => void events.push("ended"));
  await clock.advance(0);
  const host = (): string => network.last().target.replica.host;
  /** The directory takes the newest connection. */
  const accept = async (): Promise<void> => {
    network.last().events.opened();
    network.last().send(welcome);
    await clock.advance(0);
  };
  const refuse = async (reason = "connection refused"): Promise<void> => {
    network.last().events.closed(reason, false);
    await clock.advance(0);
  };
  onTestFinished(async () => {
    stop.abort();
    await clock.advance(60_000);
    await done;
    expect(clock.pending()).toBe(0);
  });
  return { clock, network, events, logs, states, sessions, stop, done, host, accept, refuse };
}

const two = { replicas: [parseDirectoryAddress("//one/directory"), parseDirectoryAddress("//two/directory")] };

test("runLink() says hello with what it has and waits for the welcome", async () => {
  const { network, events, states, accept } = await start({
    subscribe: { services: ["barker"], have: () => ({ epoch: "e", revision: 3 }) },
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
      subscribe: { services: ["barker"], have: { epoch: "e", revision: 3 } },
    },
  ]);
  expect(events).toEqual(["connected"]);
  expect(states.at(-1)).toEqual({ state: "connected", directory: "//one/directory", welcome });
});

test("runLink() hands over messages and ignores types that it does not know", async () => {
  const { network, events, accept } = await start();
  await accept();
  network.last().send({ type: "warm" });
  network.last().events.text('{"type":"sing"}');
  network.last().send({ type: "error", code: "unsupported", message: "no such message", fatal: false });
  expect(events).toEqual(["connected", "warm", "error"]);
  expect(network.last().state).toBe("open");
});

test("runLink() goes on with the next replica at once when a link that held is lost", async () => {
  const { clock, network, events, logs, accept, refuse, host } = await start(two);
  await accept();
  network.last().events.alive();
  await clock.advance(6_000);
  await refuse("the connection broke");
  expect(events).toEqual(["connected", "disconnected: the connection broke"]);
  expect([network.connections.length, host()]).toEqual([2, "two"]);
  expect(logs).toEqual(["info: Connected to the directory", "warn: Directory lost, reconnecting"]);
});

test("runLink() goes to the next replica at once and waits only after a whole round", async () => {
  const { clock, network, states, refuse, host, accept } = await start(two);
  await refuse();
  expect([network.connections.length, host()]).toEqual([2, "two"]);
  await refuse("timed out");
  expect(network.connections.length).toBe(2);
  expect(states.at(-1)).toEqual({
    state: "waiting",
    reason: "//one/directory: connection refused; //two/directory: timed out",
    refused: false,
    denied: false,
    retryInMs: 50,
  });
  await clock.advance(50);
  await refuse();
  await accept();
  expect(host()).toBe("two");
});

test("runLink() does not hammer a directory that takes the link and drops it", async () => {
  const { clock, network, accept, refuse } = await start();
  for (let i = 0; i < 3; i++) {
    await accept();
    await refuse("the connection broke");
    await clock.advance(5_000);
  }
  const before = network.connections.length;
  await accept();
  await refuse();
  expect(network.connections.length).toBe(before);
});

test("runLink() logs a directory that stays away once, and that it is back", async () => {
  const { clock, logs, accept, refuse } = await start();
  for (let i = 0; i < 10; i++) {
    await refuse();
    await clock.advance(5_000);
  }
  await accept();
  expect(logs).toEqual(["warn: Directory unreachable, trying on", "info: Connected to the directory"]);
});

test.each([
  [
    "a fatal error",
    (network: ReturnType<typeof createMemoryNetwork>) => {
      network.last().send({ type: "error", code: "conflict", message: "two Watsons have this id", fatal: true });
    },
    false,
  ],
  [
    "a fatal error for want of a right",
    (network: ReturnType<typeof createMemoryNetwork>) => {
      const code = "permission_denied";
      network.last().send({ type: "error", code, message: "two Watsons have this id", fatal: true });
    },
    true,
  ],
  [
    "a refused handshake",
    (network: ReturnType<typeof createMemoryNetwork>) => {
      network.last().events.closed("two Watsons have this id", true);
    },
    true,
  ],
])("runLink() after %s says so once and asks again seldom", async (_, answer, denied) => {
  const { clock, network, logs, states } = await start();
  network.last().events.opened();
  answer(network);
  await clock.advance(0);
  expect(states.at(-1)).toMatchObject({
    state: "waiting",
    refused: true,
    denied,
    reason: "//one/directory: two Watsons have this id",
  });
  await clock.advance(14_000);
  expect(network.connections.length).toBe(1);
  await clock.advance(9_000);
  expect(network.connections.length).toBe(2);
  network.last().events.opened();
  answer(network);
  await clock.advance(0);
  expect(logs).toEqual(["error: Directory refuses this program, asking again from time to time"]);
});

test("runLink() does not speak a version of the link that it does not know", async () => {
  const { clock, network, states } = await start();
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

test.each([
  ["garbage", "%%", "it sent something that is no JSON"],
  ["another first message", '{"type":"warm"}', "it began with warm, wanted welcome"],
])("runLink() breaks off at %s", async (_, text, reason) => {
  const { clock, network, states } = await start();
  network.last().events.opened();
  network.last().events.text(text);
  await clock.advance(0);
  expect(network.last().state).toBe("terminated");
  expect(states.at(-1)).toMatchObject({ state: "waiting", refused: false, reason: `//one/directory: ${reason}` });
});

test("runLink() gives up on a handshake that hangs", async () => {
  const { clock, network, states } = await start();
  network.last().events.opened();
  await clock.advance(5_000);
  expect(network.connections[0]?.state).toBe("terminated");
  expect(states.at(-1)).toMatchObject({ state: "waiting", reason: "//one/directory: no answer within 5 s" });
});

test("runLink() takes a link for dead after two and a half silent heartbeats", async () => {
  const { clock, network, events, accept } = await start();
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

test("runLink() closes cleanly when the signal aborts, and waits for the answer", async () => {
  const { clock, network, events, stop, accept } = await start();
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
  const { clock, network, events, stop, accept } = await start();
  await accept();
  stop.abort();
  await clock.advance(1_000);
  expect(network.last().state).toBe("terminated");
  expect(events.at(-1)).toBe("ended");
});

test("runLink() stops at once while it connects or waits", async () => {
  const connecting = await start();
  connecting.stop.abort();
  await connecting.clock.advance(0);
  expect(connecting.events).toEqual(["ended"]);
  const waiting = await start();
  await waiting.refuse();
  waiting.stop.abort();
  await waiting.clock.advance(0);
  expect(waiting.events).toEqual(["ended"]);
});

test("send() sends while the link is up and says when it is not", async () => {
  const { clock, network, sessions, accept, refuse } = await start();
  await accept();
  const update = { type: "update" as const, seq: 1, instances: [], gone: [] };
  expect(sessions[0]?.send({ ...update, gone: ["a@b"] })).toBe(true);
  expect(network.last().received.at(-1)).toEqual({ ...update, gone: ["a@b"] });
  await clock.advance(6_000);
  await refuse();
  expect(sessions[0]?.send({ ...update, gone: [] })).toBe(false);
});

test("send() cuts the link when nothing of what was sent leaves", async () => {
  const { clock, network, events, sessions, accept } = await start();
  await accept();
  network.last().bufferedBytes = 5 * FRAME_BYTES_MAX;
  expect(sessions[0]?.send({ type: "update", seq: 1, instances: [], gone: [] })).toBe(false);
  await clock.advance(0);
  expect(events.at(-1)).toBe("disconnected: it takes in nothing of what is sent to it");
});

test("send() does not send what the directory would not take", async () => {
  const { sessions, logs, accept } = await start();
  await accept();
  const gone = [" ".repeat(FRAME_BYTES_MAX)];
  expect(sessions[0]?.send({ type: "update", seq: 1, instances: [], gone })).toBe(false);
  expect(logs.at(-1)).toBe("error: Message too large for the link, not sent");
});

test("reconnect() opens another link and says hello again", async () => {
  const { clock, network, events, sessions, accept } = await start();
  await accept();
  await clock.advance(6_000);
  sessions[0]?.reconnect("a gap");
  await clock.advance(0);
  expect(events).toEqual(["connected", "disconnected: a gap"]);
  expect(network.connections.length).toBe(2);
});
