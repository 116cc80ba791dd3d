import { noLog, systemChance } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { TEST_CONFIG } from "../testing/config.ts";
import { connectClient } from "../testing/memory-client.ts";
import { openMemoryDirectory } from "../testing/memory-directory.ts";
import { MemoryEtcd } from "../testing/memory-etcd.ts";
import { hello } from "../testing/served.ts";
import { registration } from "../testing/worlds.ts";

test("a table that is about to be closed answers for nothing that is not written any more", async () => {
  const clock = createFakeClock();
  const etcd = new MemoryEtcd(clock, systemChance);
  const opening = etcd.open({ name: "d0", clock }, TEST_CONFIG);
  await clock.advance(1_000);
  const store = await opening;
  const loading = openMemoryDirectory(TEST_CONFIG, { store, clock, log: noLog, chance: systemChance });
  await clock.advance(1_000);
  const directory = await loading;
  const watson = connectClient(directory, clock);
  await clock.advance(1);
  watson.send(hello("watson", "vm1"));
  watson.send({ type: "register", seq: 1, instances: [registration("barker@a")] });
  await clock.advance(100);
  expect(watson.received).toContainEqual({ type: "registered", seq: 1, refused: [] });
  // That of another tenant may take longer, and its clients are told to leave when all are done.
  const leaving = directory.tenant.leave();
  await clock.advance(100);
  await leaving;
  watson.send({ type: "update", seq: 2, instances: [registration("barker@b")], gone: [] });
  await clock.advance(5_000);
  expect(watson.received).not.toContainEqual(expect.objectContaining({ type: "registered", seq: 2 }));
  watson.terminate();
  const closing = store.close();
  await clock.advance(5_000);
  await closing;
});
