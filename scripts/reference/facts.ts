import { exitCodes } from "@datawire/runtime";

/** What each exit code says; the compiler sees to it that none is missing. */
const EXIT_MEANINGS: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: "done; for a daemon, stopped by SIGTERM or SIGINT after a clean stop",
  failed: "failed; the last line on stderr says why",
  misused: "the command line is misused",
  unreachable: "the directory is out of reach (`dw`)",
  notAllowed: "not allowed: a token is missing, or lacks the right",
  badConfiguration:
    "bad configuration; each problem is a line `FILE:LINE:COLUMN: message`. Service units do not restart on it",
};

/** Exit codes with what they say. */
export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = Object.entries(EXIT_MEANINGS).map(
  ([name, meaning]) => [exitCodes[name as keyof typeof exitCodes], meaning],
);

/** Environment variables, and what they do. */
export const VARIABLES: readonly (readonly [name: string, meaning: string])[] = [
  [
    "DATAWIRE_DIRECTORY",
    "The directory; several addresses are separated by commas. Over settings files, under flags. Not for `directory`.",
  ],
  [
    "DATAWIRE_TOKEN",
    "The token. Over settings files; there is no flag for it, as others could read it in the list of processes.",
  ],
  ["XDG_CONFIG_HOME", "Where the user's own settings are, in `datawire/`; default `~/.config`."],
  ["XDG_STATE_HOME", "Where data folders are, in `datawire/`, when not root; default `~/.local/state`."],
  ["XDG_RUNTIME_DIR", "Where the run directory of Sherlock is, in `datawire/sherlock`, when not root."],
  ["XDG_CACHE_HOME", "Where `dw` keeps its compiled code, in `datawire/`; default `~/.cache`."],
  ["NO_COLOR", "Anything but empty: `dw` shows no colours."],
  [
    "NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID",
    "Set by systemd for daemons: they tell it when they are ready, stopping and alive.",
  ],
];
