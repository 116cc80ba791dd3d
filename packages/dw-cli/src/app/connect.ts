import { hostname, userInfo } from "node:os";
import { type ApiClient, createApiClient } from "@datawire/api";
import { type DirectoryClient, createDirectoryClient, loadCredentials } from "@datawire/link/client";
import { type DirectoryAddress, parseName } from "@datawire/protocol";
import { type Env, systemClock, systemProcess } from "@datawire/runtime";
import type { CommonOptions } from "../grammar/common-options.ts";
import type { Output } from "../context/output.ts";
import type { Connected } from "./run-dw.ts";
import { typed } from "../context/operands.ts";
import { loadDwSettings } from "../context/settings.ts";
import { openPage } from "../io/open-page.ts";
import { systemStreams } from "../io/terminal-output.ts";
import { openScreen } from "../io/terminal-screen.ts";

/** Makes what commands work with from the settings and the command line. */
export async function connect(
  common: CommonOptions,
  output: Output,
  { env, stop }: { readonly env: Env; readonly stop: AbortController },
): Promise<Connected> {
  const { environment } = common;
  if (environment !== undefined) typed(() => parseName(environment, "environment"));
  const settings = await loadDwSettings(common.configFile, { env, directories: common.directories });
  const { token, tls } = await loadCredentials(settings.value, { file: "dw.yaml", locate: settings.locate });
  const directories: readonly DirectoryAddress[] = settings.value.directory;
  const clients: DirectoryClient[] = [];
  const clientOf = (addresses: readonly DirectoryAddress[]): ApiClient => {
    const client = createDirectoryClient({ directories: addresses, token, user: userName(), tls });
    clients.push(client);
    return createApiClient((method, path, body) => client.exchange(method, inEnvironment(path, environment), body));
  };

  return {
    output,
    env,
    clock: systemClock,
    signal: stop.signal,
    client: clientOf(directories),
    directories,
    clientOf: (directory) => clientOf([directory]),
    async follow(onUpdate) {
      const { followCatalog } = await import("./follow-catalog.ts");
      const undo = stopOnSignals(stop);
      await followCatalog({ common, directories, token, tls, stop }, onUpdate);
      undo();
    },
    endBySignal: () => void stopOnSignals(stop),
    openScreen: () => {
      const screen = openScreen({ colour: systemStreams(env).colour });
      // The signals end the command in its usual way, which gives the terminal back.
      if (screen !== null) stopOnSignals(stop);
      return screen;
    },
    openPage: (url) => openPage(url, env),
    async prepareSample(name, dryRun) {
      const { prepareSample } = await import("../io/samples.ts");
      const { from = "default" } = settings.sources.get("directory") ?? {};
      const isConfigured = from !== "default" || token !== null || (env["DATAWIRE_ROUTER"] ?? "") !== "";
      return prepareSample(name, { env, isConfigured, dryRun });
    },
    close: async () => void (await Promise.all(clients.map((client) => client.close()))),
  };
}

/** The path of a request about the services and routes of an environment. */
function inEnvironment(path: string, environment: string | undefined): string {
  return environment === undefined ? path : `${path}${path.includes("?") ? "&" : "?"}environment=${environment}`;
}

/** Ends the command on Ctrl-C and its like; the function returned ends that. */
function stopOnSignals(stop: AbortController): () => void {
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const undo = names.map((name) => systemProcess.onSignal(name, () => stop.abort()));
  return () => undo.forEach((end) => end());
}

/** `user@host` for the history, in the characters and the length that a header takes. */
function userName(): string {
  return `${accountName()}@${hostname()}`.replace(/[^!-~]/g, "?").slice(0, 200);
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "unknown"); // a container may run as a user without an account
  }
}
