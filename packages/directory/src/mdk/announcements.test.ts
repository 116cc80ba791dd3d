import { expect, test } from "vitest";
import { Announcements } from "./announcements.ts";

test("Announcements remembers of what ended the last 10,000", () => {
  const announcements = new Announcements();
  for (let i = 0; i < 10_050; i++) {
    announcements.put(`n${i}`, `+n${i}`);
    announcements.end(`n${i}`, `-n${i}`, 0);
  }
  const whole = [...announcements.whole(() => 0)];
  expect(whole).toHaveLength(10_000);
  expect([whole[0], whole.at(-1)]).toEqual(["-n50", "-n10049"]);
});

test("Announcements forgets what ended an hour ago", () => {
  const announcements = new Announcements();
  for (const key of ["a", "b"]) announcements.put(key, `+${key}`);
  announcements.end("a", "-a", 0);
  announcements.end("b", "-b", 1_000_000);
  expect([...announcements.whole(() => 3_599_999)]).toEqual(["-a", "-b"]);
  expect([...announcements.whole(() => 3_600_000)]).toEqual(["-b"]);
});

test("whole() goes on to what comes while it is being read, and leaves out what goes", () => {
  const announcements = new Announcements();
  for (const key of ["a", "b", "c"]) announcements.put(key, `+${key}`);
  const whole = announcements.whole(() => 0);
  expect(whole.next().value).toBe("+a");
  announcements.end("b", "-b", 0);
  announcements.put("d", "+d");
  announcements.put("a", "+a2");
  expect([...whole]).toEqual(["+c", "+d", "+a2", "-b"]);
});

test("listen() tells what is new, and no news twice", () => {
  const announcements = new Announcements();
  const told: string[] = [];
  const stop = announcements.listen({ told: (_, frame) => void told.push(frame) });
  announcements.put("a", "+a");
  announcements.put("a", "+a");
  announcements.end("b", "-b", 0);
  announcements.end("a", "-a", 0);
  announcements.end("a", "-a", 0);
  announcements.put("a", "+a");
  stop();
  announcements.put("a", "+a2");
  expect(told).toEqual(["+a", "-a", "+a"]);
});
