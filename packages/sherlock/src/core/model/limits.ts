import {
  type Balance,
  formatDuration,
  parseBalance,
  type ServiceSettings,
  TIME_LIMIT_MAX_MS,
} from "@datawire/protocol";

/** How requests of one service are treated, with every default filled in. */
export interface ServiceLimits {
  /** How long the first byte of the response may take, and how long a response that is not a stream may be silent. */
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly queueTimeoutMs: number;
  readonly retries: number;
  /** To one instance; null for no bound. */
  readonly maxConnections: number | null;
  readonly slowStartMs: number;
}

/** What sherlock.yaml may set for one service on this machine. */
export type ServiceOverride = {
  readonly [K in "timeoutMs" | "connectTimeoutMs" | "queueTimeoutMs" | "retries" | "maxConnections" | "slowStartMs"]?:
    | number
    | undefined;
} & { readonly balance?: string | undefined };

/** The built-in defaults. */
export const DEFAULT_LIMITS: ServiceLimits = {
  // A legacy application that waited a minute for http://name.internal waits as long here.
  timeoutMs: 60_000,
  // Any two machines of a region connect within it; HAProxy also waits this long before it retries the last server that
  // is left.
  connectTimeoutMs: 250,
  queueTimeoutMs: 2_000,
  // Each retry may hit another idle connection of an instance that has just died; with 3, a request is lost now and
  // then where that was the only instance of its group.
  retries: 6,
  maxConnections: null,
  slowStartMs: 0,
};

/** The handshake takes two more round trips, and is often with another continent. */
export const TLS_CONNECT_TIMEOUT_MS = 1_000;

/** The limits of a service: this machine's override, else the operator's setting, else the default. */
export function limitsOf(settings: ServiceSettings, override: ServiceOverride = {}): ServiceLimits {
  const limits = {
    timeoutMs: override.timeoutMs ?? settings.timeoutMs ?? DEFAULT_LIMITS.timeoutMs,
    connectTimeoutMs: override.connectTimeoutMs ?? settings.connectTimeoutMs ?? DEFAULT_LIMITS.connectTimeoutMs,
    queueTimeoutMs: override.queueTimeoutMs ?? settings.queueTimeoutMs ?? DEFAULT_LIMITS.queueTimeoutMs,
    retries: override.retries ?? settings.retries ?? DEFAULT_LIMITS.retries,
    maxConnections: override.maxConnections ?? settings.maxConnections ?? DEFAULT_LIMITS.maxConnections,
    slowStartMs: override.slowStartMs ?? settings.slowStartMs ?? DEFAULT_LIMITS.slowStartMs,
  };
  // A directory may have accepted a longer one before there was a bound; because of it HAProxy would refuse the whole
  // service.
  const bounded = (ms: number): number => Math.min(ms, TIME_LIMIT_MAX_MS);
  return {
    ...limits,
    timeoutMs: bounded(limits.timeoutMs),
    connectTimeoutMs: bounded(limits.connectTimeoutMs),
    queueTimeoutMs: bounded(limits.queueTimeoutMs),
    slowStartMs: bounded(limits.slowStartMs),
  };
}

/**
 * The settings of a service that are longer than HAProxy's timers can be, such as `timeout=700h`; these use the
 * longest.
 */
export function tooLongOf(settings: ServiceSettings): string[] {
  const { timeoutMs, connectTimeoutMs, queueTimeoutMs, slowStartMs } = settings;
  const named = {
    timeout: timeoutMs,
    "connect-timeout": connectTimeoutMs,
    "queue-timeout": queueTimeoutMs,
    "slow-start": slowStartMs,
  };
  return Object.entries(named).flatMap(([name, ms]) =>
    ms !== null && ms > TIME_LIMIT_MAX_MS ? [`${name}=${formatDuration(ms)}`] : [],
  );
}

/** The balance policy of a service. @throws ProtocolError for one that cannot be read. */
export function balanceOf(settings: ServiceSettings, override: ServiceOverride = {}): Balance {
  return parseBalance(override.balance ?? settings.balance ?? "round-robin");
}
