import { type ApiClient, endpoints } from "@datawire/api";
import { type DirectoryAddress, ProtocolError, formatDirectoryAddress } from "@datawire/protocol";
import { describeSilence } from "@datawire/link/client";
import { formatSpan } from "../core/span.ts";
import type { Dw } from "../context/dw.ts";
import type { DirectoryNeed } from "./machine.ts";
import { type Finding, findingsOf } from "./finding.ts";

/** A smaller difference of clocks has no effect on leases, tokens or certificates. */
const SKEW_MS_OK = 2_000;
/** From here on, certificates and tokens of today may be taken for those of another day. */
const SKEW_MS_BAD = 60_000;

/** What was found of the directories. */
export interface DirectoriesFound {
  readonly findings: readonly Finding[];
  /** A client of a directory that answers; null without any. */
  readonly client: ApiClient | null;
}

/**
 * Asks each directory how it is, and compares the clocks. One that nobody named may be missing: that is a warning, as
 * the command line of a program, which is not seen here, may name another.
 */
export async function checkDirectories(dw: Dw, directories: readonly DirectoryNeed[]): Promise<DirectoriesFound> {
  const unique = new Map(
    directories
      .toSorted((a, b) => Number(a.isSet) - Number(b.isSet))
      .map((one) => [formatDirectoryAddress(one.at), one]),
  );
  const checked = await Promise.all(
    [...unique].map(async ([address, { at, isSet }]) => {
      const found = await checkDirectory(dw, address, at);
      return isSet ? found : { ...found, findings: found.findings.map(asAssumed) };
    }),
  );
  return {
    findings: checked.flatMap(({ findings }) => findings),
    client: checked.find(({ client }) => client !== null)?.client ?? null,
  };
}

function asAssumed(finding: Finding): Finding {
  if (finding.state !== "error") return finding;
  return {
    ...finding,
    state: "warning",
    message: `${finding.message}; no settings of Watson or Sherlock name a directory, so this is theirs unless their command line does`,
  };
}

async function checkDirectory(dw: Dw, address: string, directory: DirectoryAddress): Promise<DirectoriesFound> {
  const { ok, warning, error } = findingsOf("directory");
  const client = dw.clientOf(directory);
  const askedMs = dw.clock.nowMs();
  try {
    const status = await client.ask(endpoints.status);
    const answeredMs = dw.clock.nowMs();
    const { version, state, now } = status.directory;
    const reached = `version ${version}, ${state}`;
    const standing =
      state === "read-only"
        ? warning(address, `${reached}: it cannot write to its store`, "`dw status` says why")
        : ok(address, reached);
    return { findings: [standing, ...judgeClock(address, Date.parse(now), { askedMs, answeredMs })], client };
  } catch (failure) {
    return { findings: [error(address, describeSilence(failure), remedyOf(failure, directory))], client: null };
  }
}

function judgeClock(
  address: string,
  directoryMs: number,
  { askedMs, answeredMs }: { readonly askedMs: number; readonly answeredMs: number },
): Finding[] {
  const { ok, warning, error } = findingsOf("clock");
  if (Number.isNaN(directoryMs)) return [];
  // It said so at some moment between the question and the answer; only what lies outside of both is a difference.
  const skewMs = directoryMs < askedMs ? directoryMs - askedMs : Math.max(0, directoryMs - answeredMs);
  if (Math.abs(skewMs) < SKEW_MS_OK) return [ok(address, "the clocks agree")];
  const message = `this machine's clock is ${formatSpan(Math.abs(skewMs))} ${skewMs > 0 ? "behind" : "ahead of"} the directory's`;
  const make = Math.abs(skewMs) < SKEW_MS_BAD ? warning : error;
  return [make(address, message, "let both follow a time server: `timedatectl set-ntp true`, chrony or ntpd")];
}

function remedyOf(failure: unknown, { host, port }: DirectoryAddress): string {
  if (
    failure instanceof ProtocolError &&
    (failure.code === "unauthenticated" || failure.code === "permission_denied")
  ) {
    return "give dw a token with DATAWIRE_TOKEN or `dw config set token_file FILE`; `dw token create`, where you have one, makes others";
  }
  const reason = describeSilence(failure);
  if (reason.includes("refused"))
    return `start it there (\`directory\`), or let it listen beyond loopback: \`--listen ${host}:${port}\``;
  if (reason.includes("resolve"))
    return `put ${host} into the name service or /etc/hosts, or name an address that resolves`;
  if (/certificate|TLS|SSL/i.test(reason))
    return "the token or `tls.ca` that dw has is not for this directory: `dw config list` shows them";
  return `look for a firewall on the way to port ${port} of ${host}, and whether the address is right`;
}
