import { hostname } from "node:os";
import { formatDirectoryAddress, hostPort, type ReportedProblem } from "@datawire/protocol";
import { ConfigError, type DaemonContext, formatListenAddress } from "@datawire/runtime";
import { tlsOptions } from "../access/certificates.ts";
import type { ConsoleConfig } from "../access/console-access.ts";
import { type Protection, protectionOf } from "../access/protection.ts";
import { checkFiles } from "../cli/check.ts";
import { CONSOLE_ROOT } from "../console/console-page.ts";
import { consoleFolders } from "../console/find-console.ts";
import { assembleDirectory, type Directory } from "./assemble.ts";
import { SwitchedHandlers } from "./switched-handlers.ts";
import { listEnvironments, listTenants, openStore } from "../store/open/open-store.ts";
import { type HttpConfig, listenHttp, machine, whereToListen } from "@datawire/http";
import type { Telemetry } from "@datawire/telemetry";
import { openTelemetry, threadSettings } from "./open-telemetry.ts";
import { dataDirOf, type DirectorySettings, type DirectoryValues } from "../config/settings.ts";
import type { Store } from "../store/contract.ts";
import type { Realm } from "../store/realm.ts";
import { realmFolder } from "../store/embedded/tenant-folders.ts";

/** The settings that hold from start to end; the others follow SIGHUP. */
const FIXED = [
  "host",
  "port",
  "listen",
  "address",
  "data_dir",
  "store",
  "environment",
  "lease",
  "auth",
  "tls",
  "console",
] as const;

/** Runs a directory until the signal aborts. */
export async function runDirectory(context: DaemonContext<DirectorySettings>): Promise<void> {
  // Who is silent and what has come due is judged by the time in which this directory attended to what came.
  const { log, attentive: clock, board, signal, readiness, input } = context;
  const settings = context.settings.value;
  // Before anything is made: a port, a store, the first tokens. A restart does not mend what these files lack.
  const problems = await checkFiles(context.settings);
  if (problems.length > 0) throw new ConfigError(problems);
  const choice = await whereToListen(settings);
  const protection = protectionOf(settings, choice.addresses);
  for (const warning of protection.warnings) log.warn("Exposed", { warning });
  if (choice.warning !== null) log.warn("Listening on loopback only", { reason: choice.warning });

  const handlers = new SwitchedHandlers();
  const http = await listenHttp(httpConfig(settings, { protection, addresses: choice.addresses }), handlers);
  try {
    const port = http.addresses[0]?.port ?? settings.port;
    const address = formatDirectoryAddress(settings.address ?? { host: settings.host, port });
    const { store: kind, lease: leaseMs } = settings;
    const dataDir = dataDirOf(settings, input.env);
    const open = (realm: Realm): Promise<Store> => {
      const folder = realmFolder(dataDir, realm);
      return openStore({ store: kind, folder, address, leaseMs, ...realm }, { clock, log, board }, signal);
    };
    const own = await open({ tenant: null, environment: null });
    const telemetry = openTelemetry({ dataDir, self: address, settings: settings.traces }, { clock, log, board });
    let directory: Directory | undefined;
    try {
      directory = await assembleDirectory(
        {
          address,
          environment: settings.environment,
          protection,
          folder: dataDir,
          names: certificateNames(settings),
          console: consoleOf(settings),
          warnings: [...protection.warnings, ...(choice.warning === null ? [] : [choice.warning])],
          leaseMs,
          promotionDelayMs: settings.promotion_delay,
          guard: settings.guard,
          directories: authoritiesOf(settings, { address, port }),
        },
        {
          stores: {
            own,
            open,
            listTenants: () => listTenants({ store: kind, folder: dataDir }, { clock }),
            listEnvironments: (tenant) => listEnvironments({ store: kind, folder: dataDir, tenant }, { clock }),
          },
          clock,
          log,
          telemetry,
          consoleFolders: consoleFolders(),
          board,
          readiness,
          show: (certificate) => http.setCertificate(tlsOptions(certificate)),
        },
      );
      handlers.switchTo(directory.handlers);
      followReloads(context, { telemetry, directory });
      readiness.seal();
      log.info("Directory is ready", { address, port, listen: http.addresses.map(formatListenAddress).join(", ") });
      await directory.run(signal);
    } finally {
      await directory?.close();
      await telemetry.close();
      await own.close();
    }
  } finally {
    await http.close();
  }
}

interface HttpChoice {
  readonly protection: Protection;
  readonly addresses: HttpConfig["addresses"];
}

function httpConfig(settings: DirectoryValues, { protection, addresses }: HttpChoice): HttpConfig {
  const { listen, console } = settings;
  return {
    addresses,
    setting: listen ? "--listen" : "--port",
    names: namesOf(settings),
    ...(console !== "off" && {
      front: { url: console.url ?? null, originSetting: "console.url in directory.yaml" },
      openBelow: CONSOLE_ROOT,
    }),
    ...(protection.tls === "off" ? {} : { tls: { clientCertificates: wantsClients(protection) } }),
  };
}

/** Takes new settings as far as they may change while the directory runs, and tells which of the others wait for the next start. */
function followReloads(
  context: DaemonContext<DirectorySettings>,
  { telemetry, directory }: { readonly telemetry: Telemetry; readonly directory: Directory },
): void {
  const { log, board, onReload } = context;
  const settings = context.settings.value;
  onReload(({ value }) => {
    telemetry.configure(threadSettings(value.traces));
    directory.configure({ promotionDelayMs: value.promotion_delay, guard: value.guard });
    const fixed: string[] = FIXED.filter((key) => JSON.stringify(value[key]) !== JSON.stringify(settings[key]));
    if (value.traces.store !== settings.traces.store) fixed.push("traces.store");
    if (fixed.length > 0) log.warn("Settings that need a restart", { settings: fixed.join(", ") });
    board.set("restart", fixed.length === 0 ? [] : [needsRestart(fixed)]);
  });
}

function needsRestart(settings: readonly string[]): ReportedProblem {
  const message = `${settings.join(", ")} changed, and hold from the next start on`;
  return {
    subject: "settings",
    message,
    remedy: "restart this directory; nobody but those who change something notices",
  };
}

/** What the console is set to; null where there is none. */
function consoleOf({ console }: Pick<DirectoryValues, "console">): ConsoleConfig | null {
  return console === "off" ? null : { url: console.url ?? null, sessionMs: console.session };
}

/** The authorities under which an address may name this directory. */
function authoritiesOf(
  { host, listen }: DirectoryValues,
  { address, port }: { readonly address: string; readonly port: number },
): string[] {
  const hosts = [host, "localhost", "127.0.0.1", ...(listen === undefined ? [] : [listen.host])];
  const own = address.slice(2, address.lastIndexOf("/"));
  return [...new Set([own, ...hosts.map((name) => hostPort(name, port))])];
}

function namesOf({ host, listen, address }: DirectoryValues): string[] {
  return [host, ...(listen === undefined ? [] : [listen.host]), ...(address === undefined ? [] : [address.host])];
}

/** What clients may call this machine: the directory's names, those of the machine, and all its addresses. */
function certificateNames(settings: DirectoryValues): string[] {
  const wildcards = new Set(["0.0.0.0", "::"]);
  const names = [...namesOf(settings), "localhost", "127.0.0.1", "::1", hostname(), ...machine.own()];
  return [...new Set(names.map((name) => name.replace(/%.*$/, "").toLowerCase()))].filter(
    (name) => !wildcards.has(name),
  );
}

/** Whether clients have to show a certificate of their own. */
function wantsClients({ tls }: Protection): boolean {
  return typeof tls === "object" && tls.clientCa !== null;
}
