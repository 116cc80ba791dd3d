import { expect, test } from "vitest";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createNotifier } from "./notify.ts";

function notifierWith(env: Record<string, string>, sendMs = 0) {
  const clock = createFakeClock();
  const sent: string[] = [];
  const send = async (assignments: readonly string[]): Promise<void> => {
    await clock.sleep(sendMs);
    sent.push(assignments.join(" "));
  };
  return { clock, sent, notifier: createNotifier({ env, clock, pid: 42, send }) };
}

test("createNotifier() is silent when systemd did not start the process", async () => {
  const { clock, sent, notifier } = notifierWith({ WATCHDOG_USEC: "1000000" });
  notifier.ready();
  notifier.startWatchdog(new AbortController().signal);
  await clock.advance(10_000);
  expect(sent).toEqual([]);
});

test("createNotifier() tells of each change of life, in order", async () => {
  const { clock, sent, notifier } = notifierWith({ NOTIFY_SOCKET: "/run/notify" }, 100);
  notifier.ready();
  notifier.reloading();
  notifier.stopping();
  await clock.advance(199);
  expect(sent).toHaveLength(1);
  await clock.advance(200);
  expect(sent).toEqual(["READY=1", expect.stringMatching(/^RELOADING=1 MONOTONIC_USEC=\d+$/), "STOPPING=1"]);
});

test("createNotifier() beats at half of the watchdog's period until the signal aborts", async () => {
  const { clock, sent, notifier } = notifierWith({
    NOTIFY_SOCKET: "/x",
    WATCHDOG_USEC: "30000000",
    WATCHDOG_PID: "42",
  });
  const stop = new AbortController();
  notifier.startWatchdog(stop.signal);
  await clock.advance(45_000);
  expect(sent).toEqual(Array(4).fill("WATCHDOG=1"));
  stop.abort();
  await clock.advance(60_000);
  expect(sent).toHaveLength(4);
  expect(clock.pending()).toBe(0);
});

test("createNotifier() leaves the watchdog of another process alone", async () => {
  const { clock, sent, notifier } = notifierWith({
    NOTIFY_SOCKET: "/x",
    WATCHDOG_USEC: "30000000",
    WATCHDOG_PID: "43",
  });
  notifier.startWatchdog(new AbortController().signal);
  await clock.advance(60_000);
  expect(sent).toEqual([]);
});
