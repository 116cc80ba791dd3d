import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { claimState } from "./claim-state.ts";

test("claimState() lets one Watson at a time use a state file, and names the process that has it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "watson-claim-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const release = await claimState(join(folder, "state", "watson.json"));
  await expect(claimState(join(folder, "state", "watson.json"))).rejects.toThrow(
    `Cannot use the folder ${folder}/state: another Watson, with process id ${process.pid}, keeps its state there; ` +
      "stop that one, or give this one another --data-dir",
  );
  const other = await claimState(join(folder, "state", "other.json"));
  await release();
  const next = await claimState(join(folder, "state", "watson.json"));
  await Promise.all([other(), next()]);
});

test("claimState() lets a Watson start whose folder cannot be made", async () => {
  const release = await claimState("/proc/self/nothing/watson.json");
  await expect(release()).resolves.toBeUndefined();
});
