import { quoteShort } from "@datawire/protocol";

/** Where a router takes AMQP. */
export interface RouterUrl {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** Null without. */
  readonly user: string | null;
  readonly password: string | null;
}

const PORTS = { amqp: 5672, amqps: 5671 } as const;

const FORM =
  /^(?:(?:(?<scheme>amqps?):)?\/\/)?(?:(?<user>[^:@/]*)(?::(?<password>[^@/]*))?@)?(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9._-]+))(?::(?<port>\d{1,5}))?\/?$/;

/**
 * Reads `HOST[:PORT]`, `//HOST[:PORT]`, `amqp://[USER:PASSWORD@]HOST[:PORT]` or the same with `amqps`.
 * @throws Error that quotes it, but for a password.
 */
export function parseRouterUrl(text: string): RouterUrl {
  const groups = FORM.exec(text.trim())?.groups;
  const scheme = groups?.["scheme"] === "amqps" ? "amqps" : "amqp";
  const port = Number(groups?.["port"] ?? PORTS[scheme]);
  const host = groups?.["v6"] ?? groups?.["host"];
  const user = decoded(groups?.["user"]);
  const password = decoded(groups?.["password"]);
  if (host === undefined || port < 1 || port > 65_535 || user === undefined || password === undefined) {
    const shown = text.replace(/\/\/[^@/]*@/, "//…@");
    throw new Error(
      `Cannot use ${quoteShort(shown)} as the address of a router: wanted HOST[:PORT], amqp://HOST[:PORT] or amqps://HOST[:PORT]`,
    );
  }
  return { host, port, isTls: scheme === "amqps", user, password };
}

/** Undefined for what is no percent-encoding. */
function decoded(text: string | undefined): string | null | undefined {
  if (text === undefined || text === "") return null;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Whether a host is this machine's own, without asking anybody. */
export const isThisMachine = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
