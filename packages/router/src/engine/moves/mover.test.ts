import { Chance } from "@datawire/protocol/testing/chance";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { SimulatedDisk } from "../../log/testing/simulated-disk.ts";
import { moveMessages } from "./mover.ts";
import { settled, TestReceiver, TestSender } from "../testing/links.ts";
import { openBroker } from "../testing/open-broker.ts";

test("moveMessages() is done at once where there is nothing to move", async () => {
  const clock = createFakeClock();
  const broker = await openBroker(new SimulatedDisk(new Chance(1)).boot(), clock);
  new TestSender(broker, "from").send("0");
  await settled();
  const holder = new TestReceiver(broker, "from");
  await settled();
  expect(holder.texts).toEqual(["0"]);
  for (const from of ["empty", "from"]) {
    expect(
      await moveMessages(broker.queue(from), broker.queue("to"), { later: setImmediate, nowMs: () => clock.nowMs() }),
    ).toBe(0);
  }
});
