export { exchangeHttp1, type Http1Request, type Http1Response, InvalidResponse } from "./http1-exchange.ts";
export { readResponseHead, RESPONSE_LIMITS } from "./response-head.ts";
export { afterReading } from "./after-reading.ts";
export { createAttentiveClock } from "./attentive-clock.ts";
export {
  type JsonRead,
  type WriteOptions,
  openForAppending,
  readBounded,
  readJsonFile,
  writeFileAtomically,
  writePrivateFile,
} from "./atomic-file.ts";
export { type Backoff, type BackoffOptions, backoff } from "./backoff.ts";
export { type Chance, systemChance } from "./chance.ts";
export { aborted, type Clock, sleepWith, systemClock } from "./clock.ts";
export type { Command } from "commander";
export { type CommandOutput, runCommandLine } from "./command-line.ts";
export { commonFlags, commonVariables } from "./config/common-settings.ts";
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
} from "./config/problem.ts";
export {
  durationFrom,
  durationSetting,
  listenOrOffSetting,
  listenSetting,
  parsedBy,
  portSetting,
  readableBy,
  textLike,
} from "./config/setting-types.ts";
export {
  type Given,
  type Settings,
  type SettingsOptions,
  type Source,
  type Variable,
  loadSettings,
} from "./config/settings.ts";
export type { Env } from "./config/substitute.ts";
export { type Parsed, type TextRead, decodeText, parseYamlFile, readTextFile } from "./config/yaml-file.ts";
export {
  type CommandContext,
  type DaemonCommand,
  type DaemonDefinition,
  type DaemonDeps,
  describeDaemon,
  runDaemon,
  tell,
} from "./daemon.ts";
export type { DaemonInput } from "./daemon-input.ts";
export type { DaemonContext } from "./daemon-life.ts";
export { type ProcessLike, type SignalName, systemProcess } from "./daemon-process.ts";
export { describeError } from "./describe-error.ts";
export { type ExitCode, ExitError, exitCodes } from "./exit-codes.ts";
export {
  type ListenAddress,
  formatListenAddress,
  isLoopback,
  parseListenAddress,
  parseListenAddressOrOff,
} from "./listen-address.ts";
export {
  type LogFields,
  type LogFormat,
  type LogLevel,
  type LogOptions,
  type Logger,
  createLog,
  noLog,
} from "./log.ts";
export type { LogStream } from "./log-text.ts";
export { addressesInTime, isRemote } from "./is-remote.ts";
export { addressesOf, ownAddresses } from "./machine-addresses.ts";
export { createRegistry } from "./metrics.ts";
export { whyNoCertificates, whyNotKeyOf } from "./pem.ts";
export { makePrivateFolder, UntrustedFolder } from "./private-folder.ts";
export { ProblemBoard } from "./problem-board.ts";
export { type RecentDeps, RecentProblems } from "./recent-problems.ts";
export { type PartNotReady, type Readiness, type ReadinessPart, createReadiness } from "./ready.ts";
export { explainSystemError, fileError, listenError, systemErrorCode } from "./system-error.ts";
export { findSystemCa, SYSTEM_CA_FILES } from "./system-ca.ts";
export { tryListen } from "./try-listen.ts";
export { VERSION, userAgent } from "./version.ts";
