import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noLog, systemChance } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import { TEST_CONFIG } from "../testing/config.ts";
import { loneStore, openMemoryDirectory } from "../testing/memory/memory-directory.ts";
import { MemoryStore } from "../testing/memory/memory-store.ts";

test("assembleDirectory() leaves nothing running where it fails, which would keep the process from ending", async () => {
  const folder = await mkdtemp(join(tmpdir(), "datawire-assemble-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const clock = createFakeClock();
  const missing = { cert: join(folder, "none.pem"), key: join(folder, "none.key"), clientCa: null };
  const opened = openMemoryDirectory(
    { ...TEST_CONFIG, protection: { auth: "none", tls: missing } },
    { stores: loneStore(new MemoryStore()), clock, log: noLog, chance: systemChance },
  );
  await expect(opened).rejects.toThrow("Cannot read");
  expect(clock.pending()).toBe(0);
});
