import type { QueueReport } from "@datawire/protocol";
import { expect, test } from "vitest";
import { leftOut, linkRows, queueRows, reasonText } from "./data.ts";

const queue = (address: string, state: QueueReport["state"], dead = 0): QueueReport => ({
  address,
  kind: "queue",
  state,
  reason: null,
  messages: 1,
  bytes: 1,
  unsettled: 0,
  oldestMs: null,
  senders: 0,
  consumers: 0,
  inPerS: 0,
  outPerS: 0,
  dead,
});

const router = (name: string, queues: QueueReport[]) => ({
  name,
  id: name,
  host: name,
  address: null,
  version: "1",
  since: "2026-01-01T00:00:00Z",
  problems: [],
  ports: { amqp: null, amqps: null, web: null, admin: null },
  queues,
  links: [],
  counts: { queues: queues.length + 2, links: 0, connections: 0 },
});

test("queueRows() puts what does not move first, then what has dead letters", () => {
  const routers = [
    router("a", [queue("idle", "idle"), queue("dead", "idle", 3), queue("moves", "moving")]),
    router("b", [queue("stuck", "stalled"), queue("full", "full")]),
  ];
  expect(queueRows(routers).map(({ key }) => key)).toEqual(["b>full", "b>stuck", "a>moves", "a>dead", "a>idle"]);
  expect(linkRows(routers)).toEqual([]);
  expect(leftOut(routers)).toBe(4);
});

test("reasonText() says what it knows in words, and all else as it is", () => {
  expect([reasonText("no-consumer"), reasonText("weather"), reasonText(null)]).toEqual([
    "nobody receives",
    "weather",
    null,
  ]);
});
