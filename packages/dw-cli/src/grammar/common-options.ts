import { own } from "@datawire/protocol";
import { type Command, Option } from "commander";

/** The options that may stand before and after the noun and the verb. */
export interface CommonOptions {
  /** As typed, in their order; empty when there were none. */
  readonly directories: readonly string[];
  readonly configFile: string | undefined;
  /** Whose services and routes are shown and changed; undefined for those of Watsons and Sherlocks. */
  readonly environment: string | undefined;
  readonly logLevel: "debug" | "info" | "warn" | "error";
  readonly logFormat: "text" | "json" | undefined;
  readonly json: boolean;
}

/** Adds the common options to a command; those of the daily work alone are shown below the top. */
export function addCommonOptions(command: Command, { top }: { readonly top: boolean }): void {
  const quiet = (option: Option): Option => (top ? option : option.hideHelp());
  command
    .addOption(
      new Option("-d, --directory <address>", "directory to ask; repeat for its other addresses").argParser(
        (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
      ),
    )
    .addOption(new Option("--json", "print JSON for scripts"))
    .addOption(
      quiet(
        new Option("--environment <name>", "the environment whose services and routes are meant; default: the usual"),
      ),
    )
    .addOption(quiet(new Option("-c, --config <file>", "settings file, over /etc/datawire and the user's own")))
    .addOption(
      quiet(
        new Option("-l, --log-level <level>", "least important events to log; default: warn").choices([
          "debug",
          "info",
          "warn",
          "error",
        ]),
      ),
    )
    .addOption(
      quiet(
        new Option("--log-format <format>", "default: text on a terminal, JSON lines otherwise").choices([
          "text",
          "json",
        ]),
      ),
    );
}

/** Gathers the common options from wherever on the line they stood; of one that stands twice, the last holds. */
export function readCommonOptions(command: Command): CommonOptions {
  const chain: Command[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) chain.unshift(at);
  const given = chain.map((one) => one.opts<Record<string, unknown>>());
  const last = (name: string): unknown =>
    given.map((options) => own(options, name)).findLast((value) => value !== undefined);
  return {
    directories: given.flatMap((options) => (options["directory"] as readonly string[] | undefined) ?? []),
    configFile: last("config") as string | undefined,
    environment: last("environment") as string | undefined,
    logLevel: (last("logLevel") as CommonOptions["logLevel"] | undefined) ?? "warn",
    logFormat: last("logFormat") as CommonOptions["logFormat"],
    json: last("json") === true,
  };
}
