import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { claimForAgent } from "./claim-for-agent.ts";

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "claim-for-agent-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

test.runIf(process.platform === "linux")("claimForAgent() lets one agent have a folder, until it ends", async () => {
  const folder = join(await aFolder(), "watson");
  const release = await claimForAgent(folder);
  await expect(claimForAgent(folder)).rejects.toThrow(
    `Cannot use the folder ${folder}: another agent uses it; stop that one, or give this one another --data-dir`,
  );
  await release();
  const next = await claimForAgent(folder);
  await next();
});

test("claimForAgent() leaves it to the part to say that its folder can be none", async () => {
  const file = join(await aFolder(), "file");
  await writeFile(file, "");
  const release = await claimForAgent(join(file, "watson"));
  await expect(release()).resolves.toBeUndefined();
});
