import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Claim, claimFolder, describeHolder } from "./claim.ts";

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "datawire-claim-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

async function release(claim: Claim): Promise<void> {
  if (claim.state === "own") await claim.release();
}

test("claimFolder() gives a folder to one at a time, says who has it, and gives it to the next when it is given back", async () => {
  const folder = await makeFolder();
  const first = await claimFolder(folder, "test");
  expect(first.state).toBe("own");
  expect(await claimFolder(folder, "test")).toEqual({ state: "taken", pid: process.pid });
  const other = await claimFolder(folder, "test of another kind");
  expect(other.state).toBe("own");
  await release(first);
  const next = await claimFolder(folder, "test");
  expect(next.state).toBe("own");
  await Promise.all([other, next].map(release));
});

test("claimFolder() tells the parts of a folder apart", async () => {
  const folder = await makeFolder();
  const claims = await Promise.all(["a", "b", "a"].map((part) => claimFolder(folder, "test", part)));
  expect(claims.map(({ state }) => state)).toEqual(["own", "own", "taken"]);
  await Promise.all(claims.map(release));
});

test("describeHolder() names the process where it is known", () => {
  expect([12, null].map((pid) => `${describeHolder("router", pid)} uses it`)).toEqual([
    "another router, with process id 12, uses it",
    "another router uses it",
  ]);
});
