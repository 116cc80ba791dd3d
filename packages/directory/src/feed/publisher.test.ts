import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { momentOf } from "../model/moment.ts";
import { Publisher } from "./publisher.ts";
import { createState, registration, watson } from "../testing/worlds.ts";

function create() {
  const clock = createFakeClock();
  const state = createState();
  const delaysMs: number[] = [];
  const publisher = new Publisher(state.writer, { clock, epoch: "e", published: (ms) => void delaysMs.push(ms) });
  state.registry.attach(watson("vm1"), momentOf(clock));
  const change = (version: number): void => {
    state.registry.register("id-of-vm1", [registration(`x@a:${version}`)], { moment: momentOf(clock), local: true });
    publisher.touch();
  };
  /** When revisions were made. */
  const madeMs: number[] = [];
  const subscriber = { pump: () => void madeMs.push(clock.monotonicMs()) };
  publisher.subscribe(subscriber);
  return { clock, publisher, change, delaysMs, madeMs };
}

test("Publisher makes a revision of the first change after a calm at once, and one of those that follow closely", async () => {
  const { clock, publisher, change, madeMs } = create();
  await clock.advance(100);
  change(1);
  await clock.advance(0);
  expect(madeMs).toEqual([100]);
  for (let version = 2; version < 5; version++) {
    await clock.advance(1);
    change(version);
  }
  await clock.advance(10);
  expect(madeMs).toEqual([100, 105]);
  expect(publisher.log.revision).toBe(2);
});

test("Publisher tells how long a change took, and never less than nothing where the wall clock jumps", async () => {
  const { clock, change, delaysMs } = create();
  await clock.advance(100);
  change(1);
  await clock.advance(0);
  change(2);
  await clock.advance(5);
  change(3);
  clock.jumpWallClock(-60_000);
  await clock.advance(5);
  expect(delaysMs).toEqual([0, 5, 0]);
});

test("Publisher makes no revision after close()", async () => {
  const { clock, publisher, change, madeMs } = create();
  change(1);
  publisher.close();
  change(2);
  await clock.advance(1_000);
  expect(madeMs).toEqual([]);
});

test("Publisher that cannot make a revision says so, and makes the next one", async () => {
  const clock = createFakeClock();
  const state = createState();
  const failures: unknown[] = [];
  const failed = (error: unknown): void => void failures.push(error);
  const publisher = new Publisher(state.writer, { clock, epoch: "e", published() {}, failed });
  state.registry.attach(watson("vm1"), momentOf(clock));
  const { take } = state.writer;
  const change = (version: number): void => {
    state.registry.register("id-of-vm1", [registration(`x@a:${version}`)], { moment: momentOf(clock), local: true });
    publisher.touch();
  };
  state.writer.take = () => {
    throw new TypeError("no such entity");
  };
  change(1);
  await clock.advance(10);
  expect(failures).toEqual([new TypeError("no such entity")]);
  state.writer.take = take;
  change(2);
  await clock.advance(10);
  expect(publisher.log.revision).toBe(1);
});
