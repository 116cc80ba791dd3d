import {
  formatDuration,
  parseBalance,
  parseDuration,
  parseInstanceUrl,
  parseTimeLimit,
  protocolOfUrl,
  type ServiceSettings,
} from "@datawire/protocol";
import { type Input, optionText } from "../../context/dw.ts";
import { misuse, typed } from "../../context/operands.ts";

/** A setting of a service: how commander calls its option, and how its value is read. */
interface Setting {
  readonly option: string;
  readonly field: keyof ServiceSettings;
  readonly read: (text: string) => string | number;
}

/** Nothing at all is none. */
const asPeriod = (text: string): number => (typed(() => parseDuration(text)) === 0 ? 0 : asLimit(text));

const asLimit = (text: string): number => typed(() => parseTimeLimit(text));

const SETTINGS: readonly Setting[] = [
  { option: "default", field: "defaultUrl", read: asUrl },
  { option: "failover", field: "failover", read: asTyped },
  { option: "balance", field: "balance", read: asBalance },
  { option: "timeout", field: "timeoutMs", read: asLimit },
  { option: "connectTimeout", field: "connectTimeoutMs", read: asLimit },
  { option: "queueTimeout", field: "queueTimeoutMs", read: asLimit },
  { option: "retries", field: "retries", read: (text) => asCount(text, "retries") },
  { option: "maxConnections", field: "maxConnections", read: (text) => asCount(text, "maxConnections") },
  { option: "slowStart", field: "slowStartMs", read: asPeriod },
];

/** The settings that the options give, by the names of the interface; null puts one back to its default. */
export function readServiceSettings(input: Input): Record<string, string | number | null> {
  const settings: [string, string | number | null][] = [];
  for (const { option, field, read } of SETTINGS) {
    const text = optionText(input, option);
    if (text === undefined) continue;
    // `failover` has no null: its default is a value like the others.
    settings.push([field, text === null ? (field === "failover" ? "any" : null) : read(text)]);
  }
  return Object.fromEntries(settings);
}

/** The settings that are not left to their defaults, as option and value: `["timeout", "30s"]`. */
export function showServiceSettings(settings: ServiceSettings): [option: string, value: string][] {
  return SETTINGS.flatMap(({ option, field }): [string, string][] => {
    const value = settings[field];
    if (value === null || (field === "failover" && value === "any")) return [];
    return [[nameOf(option), shown(field, value)]];
  });
}

/** Settings that were given, as they are typed: `timeout=30s`, `retries=default`. */
export function showGivenSettings(settings: Readonly<Record<string, string | number | null>>): string {
  return SETTINGS.flatMap(({ option, field }) => {
    const value = settings[field];
    if (value === undefined) return [];
    // There is no default for the default URL: without one there is none.
    const given = value !== null ? shown(field, value) : option === "default" ? "none" : "default";
    return [`${nameOf(option)}=${given}`];
  }).join(", ");
}

function nameOf(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function shown(field: string, value: string | number): string {
  return field.endsWith("Ms") ? formatDuration(Number(value)) : String(value);
}

function asTyped(text: string): string {
  return text;
}

function asBalance(text: string): string {
  typed(() => parseBalance(text));
  return text;
}

/** A service of TCP has a `tcp:` URL, one of AMQP an `amqp:` URL; the directory checks that it fits. */
function asUrl(text: string): string {
  typed(() => parseInstanceUrl(text, protocolOfUrl(text)));
  return text;
}

function asCount(text: string, option: keyof typeof COUNTS): number {
  const { min, max } = COUNTS[option];
  const count = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (count >= min && count <= max) return count;
  throw misuse(`Cannot use ${JSON.stringify(text)} as --${nameOf(option)}: wanted a number from ${min} to ${max}`);
}

/** As `serviceSettingsSchema` has them. */
const COUNTS = { retries: { min: 0, max: 10 }, maxConnections: { min: 1, max: 999_999 } } as const;
