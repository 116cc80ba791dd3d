import { quoteShort } from "@datawire/protocol";

/** Where a router takes AMQP. */
export interface RouterAddress {
  readonly host: string;
  readonly port: number;
}

const AMQP_PORT = 5672;

/**
 * Reads `HOST`, `HOST:PORT`, `//HOST[:PORT]` or `amqp://HOST[:PORT]`.
 * @throws Error that quotes it.
 */
export function parseRouterAddress(text: string): RouterAddress {
  const match =
    /^(?:(?:amqp:)?\/\/)?(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9._-]+))(?::(?<port>\d{1,5}))?\/?$/.exec(
      text.trim(),
    );
  const port = Number(match?.groups?.["port"] ?? AMQP_PORT);
  const host = match?.groups?.["v6"] ?? match?.groups?.["host"];
  if (host === undefined || port < 1 || port > 65_535) {
    throw new Error(
      `Cannot use ${quoteShort(text)} as the address of a router: wanted HOST[:PORT] or amqp://HOST[:PORT]`,
    );
  }
  return { host, port };
}
