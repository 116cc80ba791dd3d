import { join } from "node:path";
import { type Clock, type Logger, makePrivateFolder, writeFileAtomically, type ProblemBoard } from "@datawire/runtime";
import type { Store } from "../store/contract.ts";
import { type DirectoryStores, type Realm, realmKey } from "../store/realm.ts";
import { splitStore } from "../store/split-store.ts";
import { type ConsoleConfig, cookieScope, type CookieScope } from "./console-access.ts";
import { keepTokens } from "./first-tokens.ts";
import { type Gate, openGate, tokenGate } from "./gate.ts";
import {
  CertificateKeeper,
  type CertificateSource,
  filedCertificates,
  ownCertificates,
  type ServerCertificate,
} from "./certificates.ts";
import type { Protection } from "./protection.ts";
import { TokenService } from "./token-service.ts";

/** How a directory is protected, and under which names. */
export interface AccessConfig {
  readonly protection: Pick<Protection, "auth" | "tls">;
  /** Where the first tokens and the authority's certificate are kept for those on this machine. */
  readonly folder: string;
  /** The names and addresses that certificates of the directory's own authority are for. */
  readonly names: readonly string[];
  /** Null where nobody can sign in. */
  readonly console: ConsoleConfig | null;
}

/** What the access to a directory works with. */
export interface AccessDeps {
  /** The store of those without a tenant, `stores.own`, is left open when the access is closed. */
  readonly stores: DirectoryStores;
  readonly clock: Clock;
  readonly log: Logger;
  /** What is wrong with the directory as a whole. */
  readonly board: ProblemBoard;
  /** Makes the server show a certificate. */
  readonly show: (certificate: ServerCertificate) => void;
  /** Told when permits may have ended, as tokens were made or revoked. */
  readonly tokensChanged: () => void;
}

/** How people sign in. */
export interface SignIn {
  readonly gate: Gate;
  /** Null where nobody can, as there is no console. */
  readonly console: ConsoleConfig | null;
  readonly cookie: CookieScope;
  /** Whether the directory's own port speaks TLS. */
  readonly tls: boolean;
}

/** Who may come in, what they are shown, and where each finds what is theirs. */
export interface Access {
  readonly gate: Gate;
  readonly signIn: SignIn;
  readonly tokens: TokenService;
  storeOf(realm: Realm): Promise<Store>;
  /** The tenants that have a table. */
  tenants(): Promise<readonly string[]>;
  /** The environments of a tenant that have a table, beside the one of all that knows none. */
  environments(tenant: string | null): Promise<readonly string[]>;
  /** Null without TLS. */
  readonly certificates: CertificateKeeper | null;
  close(): Promise<void>;
}

/** The file in the data folder with the certificate of the directory's own authority. */
export const AUTHORITY_FILE = "ca.pem";

/** Loads tokens and certificates, and makes the first ones where there are none. */
export async function openAccess(config: AccessConfig, deps: AccessDeps): Promise<Access> {
  const { protection, folder, names } = config;
  const { stores, clock, log, board, tokensChanged: changed } = deps;
  const parts = splitStore(stores.own);
  const pins = protection.tls === "own";
  const tokens = new TokenService({ store: parts.access, clock, log, board, pins, changed });
  await tokens.load();
  const source = await certificatesOf(tokens, { tls: protection.tls, folder, names });
  const made = protection.auth === "token" ? await tokens.createFirst("first start") : null;
  if (made !== null) log.info("First tokens made", { files: (await keepTokens(folder, made)).join(", ") });
  const certificates = source === null ? null : new CertificateKeeper(source, deps);
  await certificates?.start();
  const opened = new Map<string, Promise<Store>>();
  const known = { tokens: tokens.tokens, sessions: config.console === null ? null : tokens.sessions };
  const gate = protection.auth === "none" ? openGate : tokenGate(known, { clock });
  return {
    gate,
    signIn: {
      gate,
      console: config.console,
      cookie: cookieScope(config.console ?? { url: null }, protection),
      tls: protection.tls !== "off",
    },
    tokens,
    certificates,
    async storeOf(realm) {
      if (realm.tenant === null && realm.environment === null) return parts.table;
      const opening = stores.open(realm);
      opened.set(realmKey(realm), opening);
      return opening;
    },
    tenants: () => stores.listTenants(),
    environments: (tenant) => stores.listEnvironments(tenant),
    async close() {
      for (const result of await Promise.allSettled(opened.values()))
        if (result.status === "fulfilled") await result.value.close();
    },
  };
}

async function certificatesOf(
  tokens: TokenService,
  { tls, folder, names }: Pick<AccessConfig, "folder" | "names"> & { readonly tls: Protection["tls"] },
): Promise<CertificateSource | null> {
  if (tls === "off") return null;
  if (tls !== "own") return filedCertificates(tls);
  const authority = await tokens.authority();
  await makePrivateFolder(folder);
  await writeFileAtomically(join(folder, AUTHORITY_FILE), `${authority.certificate}\n`);
  return ownCertificates(authority, names);
}
