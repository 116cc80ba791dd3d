export { exchangeHttp1, type Http1Request, type Http1Response, InvalidResponse } from "./http1/http1-exchange.ts";
export { readResponseHead, RESPONSE_LIMITS } from "./http1/response-head.ts";
export { afterReading } from "./http1/after-reading.ts";
export { createAttentiveClock, untilBeatMs } from "./time/attentive-clock.ts";
export {
  type JsonRead,
  type WriteOptions,
  openForAppending,
  readBounded,
  readJsonFile,
  writeFileAtomically,
  writePrivateFile,
} from "./files/atomic-file.ts";
export { claimFolder, describeHolder } from "./files/claim.ts";
export { type Backoff, type BackoffOptions, backoff } from "./time/backoff.ts";
export { type Chance, systemChance } from "./time/chance.ts";
export { isoTime } from "./time/iso-time.ts";
export { aborted, type Clock, sleepWith, systemClock } from "./time/clock.ts";
export type { Command } from "commander";
export { type CommandOutput, runCommandLine } from "./daemon/command-line.ts";
export { commonVariables, givenFlags } from "./daemon/common-settings.ts";
export { type DescribedSetting, describeSettings } from "./config/describe-settings.ts";
export { type CheckOptions, type Checked, type Finding, check, refusal } from "./config/issue-message.ts";
export {
  ConfigError,
  type Path,
  type Place,
  type Problem,
  formatPath,
  formatPlace,
  formatProblem,
  firstProblems,
} from "./config/problem.ts";
export {
  directorySetting,
  durationFrom,
  durationSetting,
  listenOrOffSetting,
  listenSetting,
  parsedBy,
  portSetting,
  readableBy,
  textLike,
} from "./config/setting-types.ts";
export { checkFolder, defaultDataDir, userStateDir } from "./config/data-dir.ts";
export {
  type Given,
  type Settings,
  type SettingsOptions,
  type Source,
  type Variable,
  loadSettings,
} from "./config/settings.ts";
export { type Edited, setInYaml } from "./config/edit-yaml.ts";
export type { Env } from "./config/substitute.ts";
export { type Parsed, type TextRead, decodeText, parseYamlFile, readTextFile } from "./config/yaml-file.ts";
export {
  type CommandContext,
  type DaemonCommand,
  type DaemonDefinition,
  type DaemonDeps,
  describeDaemon,
  runDaemon,
} from "./daemon/daemon.ts";
export type { DaemonInput } from "./daemon/daemon-input.ts";
export type { DaemonContext } from "./daemon/daemon-life.ts";
export { type ProcessLike, type SignalName, systemProcess } from "./daemon/daemon-process.ts";
export { tell } from "./daemon/tell.ts";
export { describeError } from "./errors/describe-error.ts";
export { type ExitCode, ExitError, exitCodes } from "./errors/exit-codes.ts";
export {
  type ListenAddress,
  formatListenAddress,
  isLoopback,
  parseListenAddress,
  parseListenAddressOrOff,
} from "./net/listen-address.ts";
export {
  type LogFields,
  type LogFormat,
  type LogLevel,
  type LogOptions,
  type Logger,
  createLog,
  noLog,
} from "./log/log.ts";
export type { LogStream } from "./log/log-text.ts";
export { addressesInTime, isRemote } from "./net/is-remote.ts";
export { addressesOf, isOwnAddress, isThisMachine, ownAddresses } from "./net/machine-addresses.ts";
export { createRegistry } from "./daemon/metrics.ts";
export { whyNoCertificates, whyNotKeyOf } from "./files/pem.ts";
export { makePrivateFolder, UntrustedFolder } from "./files/private-folder.ts";
export { ProblemBoard } from "./problems/problem-board.ts";
export { type RecentDeps, RecentProblems } from "./problems/recent-problems.ts";
export { type PartNotReady, type Readiness, type ReadinessPart, createReadiness } from "./daemon/ready.ts";
export { explainSystemError, fileError, listenError, systemErrorCode } from "./errors/system-error.ts";
export { findSystemCa, SYSTEM_CA_FILES } from "./files/system-ca.ts";
export { tryListen } from "./net/try-listen.ts";
export { VERSION, userAgent } from "./daemon/version.ts";
