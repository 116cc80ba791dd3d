import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { claimFolder } from "./claim.ts";

test("claimFolder() gives a folder to one at a time, and to the next when it is given back", async () => {
  const folder = await mkdtemp(join(tmpdir(), "datawire-claim-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const release = await claimFolder(folder, "test");
  expect(release).not.toBeNull();
  expect(await claimFolder(folder, "test")).toBeNull();
  const other = await claimFolder(folder, "test of another kind");
  expect(other).not.toBeNull();
  await release?.();
  const next = await claimFolder(folder, "test");
  expect(next).not.toBeNull();
  await Promise.all([other?.(), next?.()]);
});
