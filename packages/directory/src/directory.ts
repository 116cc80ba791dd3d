import { formatDirectoryAddress, hostPort } from "@datawire/protocol";
import { type DaemonContext, ExitError, exitCodes, formatListenAddress, isLoopback } from "@datawire/runtime";
import { assembleDirectory, startingHandlers } from "./assemble.ts";
import { openStore } from "./open-store.ts";
import { listenHttp } from "./io/http-server.ts";
import { chooseAddresses, type ListenChoice } from "./io/listen-addresses.ts";
import { defaultDataDir, type DirectorySettings, type DirectoryValues } from "./settings.ts";

/** The settings that hold from start to end; the others follow SIGHUP. */
const FIXED = ["host", "port", "listen", "address", "data_dir", "store", "lease", "auth", "tls"] as const;

/** Runs a directory until the signal aborts. */
export async function runDirectory(context: DaemonContext<DirectorySettings>): Promise<void> {
  const { log, clock, signal, readiness, input } = context;
  const settings = context.settings.value;
  const choice = await whereToListen(settings);
  const warnings = requireProtection(settings, choice);
  for (const warning of warnings) log.warn("Exposed", { warning });
  if (choice.warning !== null) log.warn("Listening on loopback only", { reason: choice.warning });

  let handlers = startingHandlers;
  const http = await listenHttp(
    { addresses: choice.addresses, setting: settings.listen ? "--listen" : "--port", names: namesOf(settings) },
    {
      request: (req, res) => handlers.request(req, res),
      upgrade: (req, socket, head) => handlers.upgrade(req, socket, head),
      foreign: (reason) => handlers.foreign(reason),
    },
  );
  try {
    const port = http.addresses[0]?.port ?? settings.port;
    const address = formatDirectoryAddress(settings.address ?? { host: settings.host, port });
    const folder = settings.data_dir ?? defaultDataDir(input.env, process.getuid?.());
    const { store: kind, lease: leaseMs } = settings;
    const store = await openStore({ store: kind, folder, address, leaseMs, tenant: null }, { clock, log }, signal);
    try {
      const config = {
        address,
        warnings,
        leaseMs,
        promotionDelayMs: settings.promotion_delay,
        guard: settings.guard,
        directories: authoritiesOf(settings, { address, port }),
      };
      const directory = await assembleDirectory(config, { store, clock, log, readiness });
      handlers = directory.handlers;
      context.onReload(({ value }) => {
        directory.configure({ promotionDelayMs: value.promotion_delay, guard: value.guard });
        const fixed = FIXED.filter((key) => JSON.stringify(value[key]) !== JSON.stringify(settings[key]));
        if (fixed.length > 0) log.warn("Settings that need a restart", { settings: fixed.join(", ") });
      });
      readiness.seal();
      log.info("Directory is ready", { address, port, listen: http.addresses.map(formatListenAddress).join(", ") });
      await directory.run(signal);
    } finally {
      await store.close();
    }
  } finally {
    await http.close();
  }
}

async function whereToListen({ host, port, listen }: DirectoryValues): Promise<ListenChoice> {
  if (listen !== undefined) return { addresses: [listen], warning: null };
  return chooseAddresses({ host, port });
}

/**
 * Beyond loopback, who may do what is a question that has to be answered: here by saying that anyone may.
 * @returns what to warn about.
 */
export function requireProtection(
  { auth, tls }: Pick<DirectoryValues, "auth" | "tls">,
  { addresses }: Pick<ListenChoice, "addresses">,
): string[] {
  const exposed = addresses.filter(({ host }) => !isLoopback(host));
  if (exposed.length === 0) return [];
  const where = exposed.map(formatListenAddress).join(", ");
  if (auth?.mode === "none" && tls === "off") {
    return [`anyone who reaches ${where} can change routes and register services, and the traffic is not encrypted`];
  }
  throw new ExitError(
    exitCodes.badConfiguration,
    `Cannot listen beyond loopback, on ${where}, without authentication and TLS: wanted both \`auth: { mode: none }\` ` +
      `and \`tls: off\` in directory.yaml, which let anyone in, or \`--listen 127.0.0.1:${addresses[0]?.port}\` for this machine alone`,
  );
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
