import { type DaemonContext, formatListenAddress } from "@datawire/runtime";
import { runSherlock } from "@datawire/sherlock";
import { runWatson } from "@datawire/watson";
import { startAdmin } from "@datawire/http";
import { SharedAdmin } from "../admin/shared-admin.ts";
import { runPart } from "../parts/run-part.ts";
import { Relays } from "../parts/relays.ts";
import type { AgentSettings } from "./settings.ts";

/**
 * Runs a Watson and a Sherlock in this process until the signal aborts. Each has its own links, its own folders and its
 * own name in the directory, so that they can be taken apart again; one admin port has the pages of both.
 */
export async function runAgent(context: DaemonContext<AgentSettings>): Promise<void> {
  const { log, readiness } = context;
  const reloads = new Relays<AgentSettings>();
  const leaves = new Relays<void>();
  let settings = context.settings;
  context.onReload(async (next) => {
    settings = next;
    await reloads.send(next);
  });
  context.onUserSignal(() => void leaves.send().then(context.stop));

  const ended = new AbortController();
  const admin = settings.admin && (await SharedAdmin.open(settings.admin, { readiness, log }, ended.signal));
  const openAdmin = admin === null ? startAdmin : admin.open;
  readiness.onChange((ready) => {
    if (ready) log.info("Agent is ready", { admin: admin === null ? "off" : formatListenAddress(admin.address) });
  });
  const parts = [
    runPart(
      { name: "watson", run: (part) => runWatson(part, { openAdmin }) },
      {
        context,
        settings: () => settings.watson,
        onReload: (listener) => reloads.to(({ watson }) => listener(watson)),
        onUserSignal: (listener) => leaves.to(listener),
      },
    ),
    runPart(
      { name: "sherlock", run: (part) => runSherlock(part, { openAdmin }) },
      {
        context,
        settings: () => settings.sherlock,
        onReload: (listener) => reloads.to(({ sherlock }) => listener(sherlock)),
        onUserSignal: (listener) => leaves.to(listener),
      },
    ),
  ];
  readiness.seal();
  await Promise.all(parts).finally(async () => {
    ended.abort();
    await admin?.closed;
  });
}
