import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { claimState } from "./claim-state.ts";

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "claim-state-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

test.runIf(process.platform === "linux")(
  "claimState() lets one Watson have a state file, under whichever name of its folder, until it ends",
  async () => {
    const folder = await aFolder();
    const path = join(folder, "state", "watson.json");
    const release = await claimState(path);
    await symlink(join(folder, "state"), join(folder, "link"));
    for (const again of [path, join(folder, "link", "watson.json")]) {
      await expect(claimState(again)).rejects.toThrow(
        `Cannot use the state file ${again}: another Watson uses it; stop that one, or give this one another --data-dir`,
      );
    }
    const beside = await claimState(join(folder, "state", "//a@b.json"));
    await release();
    const next = await claimState(path);
    await Promise.all([beside(), next()]);
  },
);

test("claimState() ends a start where the folder can be none, and only there", async () => {
  const folder = await aFolder();
  await writeFile(join(folder, "file"), "");
  await expect(claimState(join(folder, "file", "watson.json"))).rejects.toMatchObject({ exitCode: 78 });
  const release = await claimState("/proc/nobody/watson.json");
  await expect(release()).resolves.toBeUndefined();
});
