import { own } from "@datawire/protocol";
import { check, type Command, type DaemonInput, ExitError, exitCodes, type ListenAddress } from "@datawire/runtime";

import { authoritiesOf, type Replicas } from "../model/directories.ts";
import type { ServiceDefinition } from "../model/service-definition.ts";
import type { LivenessDefaults } from "./liveness.ts";
import { createDefinition } from "./create-definition.ts";
import { createServiceSchema } from "./service-schema.ts";

/** Adds `[address] [url] [period]` and the flags that stand for keys of a service file. */
export function describeSingle(program: Command): void {
  program
    .argument("[address]", "a single service to serve, such as //emitter or '//emitter(2)'")
    .argument("[url]", "its URL; URL/liveness_check is checked")
    .argument("[period]", "seconds between checks, or a duration such as 500ms (default: 3)")
    .option("--instance <name>", "name of the single instance (default: HOST-PORT of its URL)")
    .option("--drain <duration>", "how long its open requests may take after it left (default: 10s)");
}

/**
 * Refuses a command line that is wrong whatever the settings say.
 * @throws ExitError 64
 */
export function checkOperands({ args: [service, url], options }: Pick<DaemonInput, "args" | "options">): void {
  if (service !== undefined && url === undefined)
    throw misused(`Cannot serve ${JSON.stringify(service)}: its URL is missing, wanted ADDRESS URL [PERIOD]`);
  if (service !== undefined && options["services"] !== undefined)
    throw misused("Cannot use --services beside ADDRESS URL: a single service is served without service files");
  const flag =
    service === undefined ? ["instance", "drain"].find((name) => own(options, name) !== undefined) : undefined;
  if (flag !== undefined) throw misused(`--${flag} is for a single service: wanted ADDRESS URL [PERIOD] too`);
}

/** The settings that a single service takes its defaults from. */
export interface SingleContext {
  readonly directories: readonly Replicas[];
  readonly zone: string | null;
  readonly defaults: LivenessDefaults;
  readonly router: ListenAddress;
}

/**
 * Reads the one service of `watson ADDRESS URL [PERIOD]`; null when none was given.
 * @throws ExitError 64 that names what was typed and what was wanted.
 */
export function readSingle({ args, options }: DaemonInput, context: SingleContext): ServiceDefinition | null {
  const [service, url, period] = args;
  if (service === undefined || url === undefined) return null;
  const directories = authoritiesOf(context.directories);
  const checked = check(createServiceSchema({ directories, noExec: null }), {
    service,
    url,
    ...(/^tcp:/i.test(url) ? { protocol: "tcp" } : {}),
    ...(period === undefined ? {} : { liveness: { interval: period } }),
    ...(options["instance"] === undefined ? {} : { instance: options["instance"] }),
    ...(options["drain"] === undefined ? {} : { drain: options["drain"] }),
  });
  if (!checked.ok)
    throw misused(checked.findings.map(({ message }) => message.replace("liveness.interval", "PERIOD")).join("; "));
  const { zone, defaults, router } = context;
  // As the URL is given, the host of this machine is not needed.
  const made = createDefinition(checked.value, { host: "", zone, defaults, router, directories }, () => ({
    file: "command line",
  }));
  if ("key" in made) return made;
  throw misused(made.map(({ message }) => message).join("; "));
}

const misused = (message: string): ExitError => new ExitError(exitCodes.misused, message);
