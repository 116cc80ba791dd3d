import { spawn } from "node:child_process";
import type { Env } from "@datawire/runtime";

/** Opens an address in the browser of whoever is at the machine; false where there is none. */
export function openPage(url: string, env: Env): Promise<boolean> {
  const command = commandFor(process.platform, env);
  if (command === null) return Promise.resolve(false);
  return new Promise((resolve) => {
    const child = spawn(command, [url], { stdio: "ignore", detached: true });
    child.once("error", () => resolve(false));
    // What opens a page ends at once, or is the browser itself, which stays.
    child.once("exit", (code) => resolve(code === 0));
    child.once("spawn", () => {
      child.unref();
      setTimeout(() => resolve(true), STARTED_MS).unref();
    });
  });
}

/** One that has not failed by then shows the page. */
const STARTED_MS = 2_000;

/** What opens pages on a system; null where nobody could see them. */
export function commandFor(platform: string, env: Env): string | null {
  if (platform === "darwin") return "open";
  return env["DISPLAY"] || env["WAYLAND_DISPLAY"] ? "xdg-open" : null;
}
