import { systemChance } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { TEST_CONFIG } from "../testing/config.ts";
import { MemoryEtcd } from "../testing/memory/memory-etcd.ts";
import { watsonOf } from "../testing/served.ts";
import { serveInMemory, until } from "../testing/memory/served-in-memory.ts";
import { registration } from "../testing/worlds.ts";

test("a table that is about to be closed answers for nothing that is not written any more", async () => {
  const clock = createFakeClock();
  const etcd = new MemoryEtcd(clock, systemChance);
  const store = await until(clock, etcd.open({ name: "d0", clock }, TEST_CONFIG));
  const served = await serveInMemory({ store, clock });
  const { client, registered } = await watsonOf(served, "vm1", [registration("barker@a")]);
  expect(registered.refused).toEqual([]);
  // That of another tenant may take longer, and its clients are told to leave when all are done.
  await until(clock, served.directory.tenant.leave());
  client.send({ type: "update", seq: 2, instances: [registration("barker@b")], gone: [] });
  await clock.advance(5_000);
  client.send({ type: "dance" });
  expect(await client.next(["registered", "error"])).toMatchObject({ type: "error", code: "unsupported" });
  const stopped = served.stop();
  await clock.advance(5_000);
  await stopped;
});
