import type { Env } from "@datawire/runtime";

/** What helps where nothing answers at a place of `dw up`; null where that has not started one, or it runs. */
export async function remedyOfUp(name: "directory" | "router", env: Env): Promise<string | null> {
  const { Background } = await import("./background.ts"); // with a library that is large, and needed for this alone
  const log = await new Background(env).diedWithLog(name);
  return log === null ? null : `that of \`dw up\` has ended, and \`dw up\` starts it again; its log is ${log}`;
}
