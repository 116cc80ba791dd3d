import { Chance } from "@datawire/protocol/testing/chance";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { openBroker } from "../engine/testing/open-broker.ts";
import { SimulatedDisk } from "../log/testing/simulated-disk.ts";
import { Temporaries } from "./temporaries.ts";

test("Temporaries keeps an address for a minute for a link that was lost, and for nobody once the router stops", async () => {
  const clock = createFakeClock();
  const broker = await openBroker(new SimulatedDisk(new Chance(1)).boot(), clock);
  const temporaries = new Temporaries(broker, clock);
  const [lost, left] = [temporaries.take("lost"), temporaries.take("left")];
  temporaries.release("lost", lost, false);
  expect(temporaries.take("lost")).toBe(lost);
  temporaries.release("lost", lost, false);
  await clock.advance(60_000);
  expect(broker.find(lost)).toBeNull();
  temporaries.release("left", left, false);
  temporaries.take("in use");
  temporaries.close();
  temporaries.release("in use", temporaries.take("in use"), false);
  // A timer would keep the process from ending.
  expect(clock.pending()).toBe(0);
});
