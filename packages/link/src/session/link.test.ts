import { parseDirectoryAddress } from "@datawire/protocol";
import { expect, test } from "vitest";
import { welcome } from "../testing/entities.ts";
import type { createMemoryNetwork } from "../testing/memory-directory.ts";
import { startLink } from "../testing/start-link.ts";

const two = { replicas: [parseDirectoryAddress("//one/directory"), parseDirectoryAddress("//two/directory")] };

test("runLink() goes on with the next replica at once when a link that held is lost", async () => {
  const { clock, network, events, logs, accept, refuse, host } = await startLink(two);
  await accept();
  network.last().events.alive();
  await clock.advance(6_000);
  await refuse("the connection broke");
  expect(events).toEqual(["connected", "disconnected: the connection broke"]);
  expect([network.connections.length, host()]).toEqual([2, "two"]);
  expect(logs).toEqual(["info: Connected to the directory", "warn: Directory lost, reconnecting"]);
});

test("runLink() goes to the next replica at once and waits only after a whole round", async () => {
  const { clock, network, states, refuse, host, accept } = await startLink(two);
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
  const { clock, network, accept, refuse } = await startLink();
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

test("runLink() waits less the shorter the lease is that the directory told, also where it is refused", async () => {
  const { clock, network, states, refuse } = await startLink();
  network.last().events.opened();
  network.last().send({ ...welcome, leaseMs: 2_000, heartbeatMs: 667 });
  await clock.advance(0);
  await clock.advance(6_000);
  network.last().events.closed("the connection broke", false);
  for (let i = 0; i < 20; i++) {
    await clock.advance(500);
    await refuse();
  }
  await clock.advance(500);
  network.last().events.closed("no token", true);
  await clock.advance(0);
  const waits = states.flatMap((state) => (state.state === "waiting" ? [state.retryInMs] : []));
  expect(Math.max(...waits)).toBe(750);
  expect(Math.max(...waits.slice(0, -1))).toBe(200);
});

test("runLink() logs a directory that stays away once, and that it is back", async () => {
  const { clock, logs, accept, refuse } = await startLink();
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
  const { clock, network, logs, states } = await startLink();
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

test("runLink() stops at once while it connects or waits", async () => {
  const connecting = await startLink();
  connecting.stop.abort();
  await connecting.clock.advance(0);
  expect(connecting.events).toEqual(["ended"]);
  const waiting = await startLink();
  await waiting.refuse();
  waiting.stop.abort();
  await waiting.clock.advance(0);
  expect(waiting.events).toEqual(["ended"]);
});
