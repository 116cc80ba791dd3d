import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { Outbox } from "./outbox.ts";

/** An outbox with so many frames to tell from the beginning. */
function outboxOf(frames: number) {
  const clock = createFakeClock();
  const sent: string[] = [];
  let pings = 0;
  const outbox = new Outbox({
    clock,
    socket: { send: (frame) => void sent.push(String(frame)), ping: () => void (pings += 1), bufferedBytes: 0 },
    whole: () => Array.from({ length: frames }, (_, i) => `n${i}`).values(),
  });
  return { clock, sent, outbox, pings: () => pings };
}

test("Outbox sends some at once and then 500 a second, as long as pings are answered", async () => {
  const { clock, sent, outbox, pings } = outboxOf(2_000);
  outbox.begin();
  expect(sent).toHaveLength(250);
  let answered = 0;
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) {
      await clock.advance(50);
      for (; answered < pings(); answered += 1) outbox.answered();
    }
  };
  await pass(1_000);
  expect(sent.length).toBeGreaterThanOrEqual(700);
  expect(sent.length).toBeLessThanOrEqual(750);
  await pass(3_000);
  expect(sent).toHaveLength(2_000);
  expect(sent.at(-1)).toBe("n1999");
});

test("Outbox waits for one that answers slowly, and goes on when it has", async () => {
  const { clock, sent, outbox, pings } = outboxOf(2_000);
  outbox.begin();
  await clock.advance(4_000);
  expect(sent).toHaveLength(500);
  expect(pings()).toBe(2);
  outbox.answered();
  await clock.advance(600);
  expect(sent.length).toBeGreaterThan(500);
});

test("Outbox gives up waiting for a pong of one that has taken all that it was sent", async () => {
  const { clock, sent, outbox } = outboxOf(2_000);
  outbox.begin();
  for (let second = 0; second < 60; second++) await clock.advance(1_000);
  expect(sent).toHaveLength(2_000);
});

test("Outbox sends what is new before the rest of the whole, and of one node the last word alone", async () => {
  const { clock, sent, outbox } = outboxOf(400);
  outbox.begin();
  for (const frame of ["x1", "x2", "x3"]) outbox.told("x", frame);
  outbox.told("y", "y1");
  await clock.advance(60);
  expect(sent.slice(250, 253)).toEqual(["x3", "y1", "n250"]);
});

test("Outbox tells all anew where too much has changed for one that does not read", () => {
  const { sent, outbox } = outboxOf(300);
  outbox.begin();
  for (let i = 0; i < 10_001; i++) outbox.told(`k${i}`, `k${i}`);
  expect(sent).toHaveLength(250);
  for (let i = 0; i < 3; i++) outbox.answered();
  expect(sent).toHaveLength(250);
});

test("Outbox keeps of log events the last ones", async () => {
  const { clock, sent, outbox } = outboxOf(0);
  const left = Array.from({ length: 2_000 }, (_, i) => outbox.log(`l${i}`)).filter((isLeft) => isLeft);
  expect(left).toHaveLength(750);
  await clock.advance(60);
  expect(sent[250]).toBe("l1000");
});

test("Outbox sends nothing after its end", async () => {
  const { clock, sent, outbox } = outboxOf(1_000);
  outbox.begin();
  outbox.end();
  outbox.now("late");
  outbox.told("x", "x");
  await clock.advance(10_000);
  expect(sent).toHaveLength(250);
});
