import { exitCodes } from "@datawire/runtime";

/** What each exit code says; the compiler sees to it that none is missing. */
const EXIT_MEANINGS: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: "done; for a daemon, stopped by SIGTERM or SIGINT after a clean stop",
  failed: "failed; the last line on stderr says why",
  paused: "a rollout that was waited for is paused (`dw rollout start --wait`)",
  misused: "the command line is misused",
  unreachable: "the directory is out of reach (`dw`)",
  notAllowed: "not allowed: a token is missing, or lacks the right",
  badConfiguration:
    "bad configuration; each problem is a line `FILE:LINE:COLUMN: message`. Service units do not restart on it",
};

const CODES: ReadonlyMap<string, number> = new Map(Object.entries(exitCodes));

/** Exit codes with what they say. */
export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = Object.entries(EXIT_MEANINGS).map(
  ([name, meaning]) => [CODES.get(name) ?? Number.NaN, meaning],
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

/** What daemons do on a signal. */
export const SIGNALS: readonly (readonly [names: string, meaning: string])[] = [
  [
    "SIGTERM, SIGINT",
    "Stop. Watson withdraws and drains its services first, Sherlock drains and ends its HAProxy. Another one a second later or more ends the program at once, and that HAProxy with it.",
  ],
  ["SIGHUP", "Read the settings again. What is in error is logged, and the old settings stay."],
  [
    "SIGUSR1",
    "Stop for an upgrade. Watson leaves its services in use until the next Watson states them, Sherlock leaves its HAProxy serving for the next Sherlock to take over. The directory ignores it.",
  ],
];
