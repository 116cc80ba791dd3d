import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { quoteShort } from "@datawire/protocol";
import { explainSystemError, parsedBy, type Path, type Place, whyNoCertificates } from "@datawire/runtime";
import { z } from "zod";
import type { AddressRule } from "../address/rules.ts";

/** Where a broker is. */
export interface UpstreamUrl {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** A virtual host of it, as RabbitMQ has them; null for its default. */
  readonly vhost: string | null;
}

/** A broker whose addresses are reached through this router. */
export interface UpstreamSettings extends UpstreamUrl {
  /** The name that rules know it by. */
  readonly name: string;
  /** Null: it asks nobody. */
  readonly user: string | null;
  readonly password: string | null;
  /** Authorities to trust instead of the system's, PEM; null for those of the system. */
  readonly ca: string | null;
  /** The socket of another process of this router, instead of a host and a port. */
  readonly path?: string;
}

const PORTS = { amqp: 5672, amqps: 5671 } as const;
const FORM =
  /^(?<scheme>amqps?):\/\/(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9._-]+))(?::(?<port>\d{1,5}))?(?:\/(?<vhost>[^/?#]*))?$/;

/**
 * Reads `amqp://HOST[:PORT][/VHOST]`, or the same with `amqps`.
 * @throws Error that says what is wrong, without quoting it.
 */
function parseUpstreamUrl(text: string): UpstreamUrl {
  if (/^\w+:\/\/[^/@]*@/.test(text)) throw new Error("it has a user in it: wanted `user` and `password` beside it");
  const groups = FORM.exec(text)?.groups;
  const scheme = groups?.["scheme"] === "amqps" ? "amqps" : "amqp";
  const host = groups?.["v6"] ?? groups?.["host"];
  const port = Number(groups?.["port"] ?? PORTS[scheme]);
  if (host === undefined) throw new Error("it is no such URL");
  if (port < 1 || port > 65_535) throw new Error("its port is none");
  return { host, port, isTls: scheme === "amqps", vhost: decodedVhost(groups?.["vhost"]) };
}

function decodedVhost(text: string | undefined): string | null {
  if (text === undefined || text === "") return null;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error("its virtual host is no percent-encoding");
  }
}

const upstreamSetting = z.strictObject({
  url: parsedBy(parseUpstreamUrl, "a URL such as amqp://10.0.0.7:5672 or amqps://broker.example.com").meta({
    description: "Where it takes AMQP 1.0; a path is a virtual host of RabbitMQ.",
  }),
  user: z.string().min(1).max(255).optional().meta({ description: "Who the router is there.", otherwise: "nobody" }),
  password: z
    .string()
    .min(1)
    .optional()
    .meta({ secret: true, description: "For SCRAM-SHA-256 or PLAIN, whichever it has.", otherwise: "none" }),
  ca: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "File of the authorities to trust, for `amqps`.", otherwise: "those of the system" }),
});

/** `upstreams` of router.yaml, by name. */
export const upstreamsSetting = z
  .record(z.string().regex(/^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?$/), upstreamSetting)
  .default({})
  .meta({ description: "Brokers that addresses of kind `link` are at, by a name for rules." });

type Written = z.output<typeof upstreamsSetting>;

/** Requires of a rule that it has an upstream exactly where it is one for that. */
export function checkLink(
  {
    kind,
    upstream,
    rewrite,
  }: { kind?: string | undefined; upstream?: string | undefined; rewrite?: string | undefined },
  context: z.RefinementCtx,
): void {
  const refuse = (key: string, message: string): void => context.addIssue({ code: "custom", path: [key], message });
  if (kind === "link" && upstream === undefined) refuse("kind", "an `upstream` beside `kind: link`");
  if (kind === "link") return;
  if (upstream !== undefined) refuse("upstream", "`kind: link` beside an upstream");
  else if (rewrite !== undefined) refuse("rewrite", "`kind: link` beside a rewrite");
}

interface Located {
  readonly locate: (path: Path) => Place | undefined;
  readonly refuse: (path: Path, message: string) => void;
}

/** What rules name and is not there. */
export function checkUpstreams(rules: readonly AddressRule[], written: Written, { refuse }: Located): void {
  const names = Object.keys(written);
  rules.forEach(({ link }, index) => {
    if (link === undefined || names.includes(link.upstream)) return;
    const wanted = names.length === 0 ? "there are no `upstreams`" : `wanted one of ${names.join(", ")}`;
    refuse(["addresses", index, "upstream"], `there is no upstream ${quoteShort(link.upstream)}: ${wanted}`);
  });
}

/** Reads the files that upstreams name. */
export async function readUpstreams(written: Written, { locate, refuse }: Located): Promise<UpstreamSettings[]> {
  const upstreams: UpstreamSettings[] = [];
  for (const [name, { url, user = null, password = null, ca }] of Object.entries(written)) {
    const path = ["upstreams", name, "ca"];
    if (ca !== undefined && !url.isTls) refuse(path, `upstreams.${name}.ca is of no use: its url is no amqps://`);
    if ((user === null) !== (password === null))
      refuse(["upstreams", name], `upstreams.${name} has one of user and password: wanted both, or neither`);
    const authorities = ca === undefined ? null : await readAuthorities(ca, path, { locate, refuse });
    upstreams.push({ name, ...url, user, password, ca: authorities });
  }
  return upstreams;
}

async function readAuthorities(path: string, at: Path, { locate, refuse }: Located): Promise<string | null> {
  const place = locate(at);
  const file = resolve(place?.line === undefined ? process.cwd() : dirname(place.file), path);
  try {
    const text = await readFile(file, "utf8");
    const why = whyNoCertificates(text);
    if (why !== null) refuse(at, `${at.join(".")} is ${file}: ${why}`);
    return text;
  } catch (error) {
    refuse(at, `${at.join(".")} is ${file}: ${explainSystemError(error)}`);
    return null;
  }
}
