import {
  familyOf,
  parseAddress,
  parseDirectoryAddress,
  parseInstanceUrl,
  parseName,
  parseServiceAddress,
  ProtocolError,
  type ServiceAddress,
} from "@datawire/protocol";
import type { Path, Place, Problem } from "@datawire/runtime";
import { authorityOf } from "../model/directories.ts";
import type { ServiceDefinition } from "../model/service-definition.ts";
import { CheckError, createChecks } from "./checks.ts";
import { listensThroughRouter, type ServiceContext, type ServiceSource } from "./service-schema.ts";

/** What a definition takes of the context of its file. */
export type DefinitionContext = Pick<ServiceContext, "host" | "zone" | "defaults" | "router" | "directories">;

/** Makes the definition of one service, or says what stands in the way. */
export function createDefinition(
  source: ServiceSource,
  context: DefinitionContext,
  at: (...path: Path) => Place,
  templateAt: (path: Path) => string | undefined = () => undefined,
): ServiceDefinition | readonly Problem[] {
  const problems: Problem[] = [];
  /** What `make` returns, or null with a problem at the place of its value. */
  const attempt = <T>(path: Path, make: () => T): T | null => {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof ProtocolError) && !(error instanceof CheckError)) throw error;
      const inside = error instanceof CheckError ? livenessPath(source, error) : path;
      const template = templateAt(inside);
      // The parser's message would quote a value from the environment.
      const why = template === undefined ? error.message : `Cannot use ${JSON.stringify(template)} here`;
      problems.push({ ...at(...inside), message: `${inside.join(".")}: ${why}` });
      return null;
    }
  };
  const address = attempt(["service"], () => parseServiceAddress(source.service, context.directories));
  const version = attempt(["version"], () => versionOf(source, address));
  const url = source.url ?? urlOf(source, { host: context.host, service: address?.service ?? "" });
  const tls = { verify: source.tls?.verify ?? true, serverName: source.tls?.server_name ?? null };
  const parsedUrl = attempt(["url"], () => parseInstanceUrl(url, source.protocol));
  const instanceName = attempt(
    ["instance"],
    () => instanceNameOf(source, address) ?? (parsedUrl && defaultName(parsedUrl)),
  );
  const checks =
    parsedUrl &&
    address &&
    attempt(["liveness"], () => {
      const { service } = address;
      return createChecks(source.liveness, {
        service,
        url,
        protocol: source.protocol,
        tls,
        defaults: context.defaults,
        router: context.router,
      });
    });
  if (problems.length > 0 || !address || !parsedUrl || !instanceName || !checks) return problems;
  return {
    key: `${address.service}@${instanceName}`,
    service: address.service,
    name: instanceName,
    version: version ?? null,
    url,
    protocol: source.protocol,
    weight: source.weight,
    zone: source.zone ?? context.zone,
    tags: source.tags,
    proxyPort: source.proxy_port ?? null,
    drainMs: source.drain,
    tls,
    directory: directoryOf(source.service),
    checks,
    source: at("service"),
  };
}

/**
 * The URL of a service that gives none: at this machine, at its own port or at that of the router that it listens
 * through.
 */
function urlOf(source: ServiceSource, { host, service }: { readonly host: string; readonly service: string }): string {
  const origin = `${familyOf(source.protocol)}://${bracketed(host)}`;
  return listensThroughRouter(source) ? `${origin}:${source.port ?? AMQP_PORT}/${service}` : `${origin}:${source.port}`;
}

/** Of routers, as long as nothing else is said. */
const AMQP_PORT = 5672;

/** `HOST-PORT`, without the characters that a name may not have. */
function defaultName({ host, port }: { readonly host: string; readonly port: number }): string {
  const text = host.replaceAll(/[^a-z0-9._-]/g, "-").replace(/^[^a-z0-9_]+/, "");
  return parseName(`${text.slice(0, 100 - String(port).length - 1)}-${port}`, "instance");
}

/** The directory that the long form of an address names, in the form of `authorityOf`. */
function directoryOf(address: string): string | null {
  const { authority, name } = parseAddress(address);
  return name === null ? null : authorityOf(parseDirectoryAddress(`//${authority}`));
}

function instanceNameOf({ instance }: ServiceSource, address: ServiceAddress | null): string | null {
  const inAddress = address?.instance ?? null;
  if (instance === undefined || inAddress === null || instance === inAddress) return instance ?? inAddress;
  throw new ProtocolError(
    "invalid_argument",
    `Cannot use ${JSON.stringify(instance)} as the instance: the address says ${JSON.stringify(inAddress)}`,
  );
}

function versionOf({ version }: ServiceSource, address: ServiceAddress | null): string | null {
  const inAddress = address?.version ?? null;
  if (version === undefined || inAddress === null || version === inAddress) return version ?? inAddress;
  throw new ProtocolError(
    "invalid_argument",
    `Cannot use ${JSON.stringify(version)} as the version: the address says ${JSON.stringify(inAddress)}`,
  );
}

function livenessPath({ liveness }: ServiceSource, { index, key }: CheckError): Path {
  return liveness !== undefined && liveness.length > 1 ? ["liveness", index, key] : ["liveness", key];
}

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);
