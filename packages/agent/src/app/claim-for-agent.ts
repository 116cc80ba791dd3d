import { claimFolder, makePrivateFolder } from "@datawire/runtime";

/**
 * Takes the data folder from other agents, whose parts would be started again for ever without getting it. A Watson or
 * a Sherlock of its own may still have its folder: that part waits for it.
 * @throws Error where another agent has it.
 */
export async function claimForAgent(folder: string): Promise<() => Promise<void>> {
  try {
    await makePrivateFolder(folder);
  } catch {
    return async () => {}; // for its part to say
  }
  const release = await claimFolder(folder, "agent");
  if (release !== null) return release;
  throw new Error(
    `Cannot use the folder ${folder}: another agent uses it; stop that one, or give this one another --data-dir`,
  );
}
