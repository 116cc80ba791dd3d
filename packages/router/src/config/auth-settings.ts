import { quoteShort } from "@datawire/protocol";
import { formatListenAddress, isLoopback, type ListenAddress } from "@datawire/runtime";
import { z } from "zod";
import type { User } from "../access/rights.ts";

/** Who may come; null: everybody, who then may do everything. */
export interface AuthSettings {
  readonly users: readonly User[];
  /** Whether tokens of the directory are let in too. */
  readonly tokens: boolean;
}

/** `auth` in router.yaml. */
export const authSetting = z
  .strictObject({
    mode: z.enum(["token", "users", "none"]).meta({
      description:
        "`token`: tokens of the directory, and `users`; `users`: those of `users` alone; `none`: everybody may do everything, beyond loopback too.",
    }),
  })
  .optional()
  .meta({
    description: "Who may come.",
    otherwise:
      "`users` where there are some; beyond loopback `token` where there is a directory; else everybody, on loopback alone",
  });

/** What decides who may come. */
export interface AuthFacts {
  readonly mode: "token" | "users" | "none" | undefined;
  readonly users: readonly User[];
  readonly hasDirectory: boolean;
  readonly listen: ListenAddress;
  /** Null without TLS. */
  readonly tlsListen: ListenAddress | null;
}

/** Something wrong, with the key that it is about. */
export interface AuthProblem {
  readonly key: string;
  readonly message: string;
}

/** Says who may come, and what is wrong with that. */
export function readAuth(facts: AuthFacts): {
  /** Null where nobody is asked, and nobody said that this is meant. */
  readonly mode: "token" | "users" | "none" | null;
  readonly auth: AuthSettings | null;
  readonly problems: readonly AuthProblem[];
} {
  const { users, hasDirectory, listen, tlsListen } = facts;
  const isRemote = (at: ListenAddress | null): boolean => at !== null && !isLoopback(at.host);
  const beyond = isRemote(listen) || isRemote(tlsListen);
  const mode = facts.mode ?? (users.length > 0 ? "users" : hasDirectory && beyond ? "token" : null);
  const problems: AuthProblem[] = [];
  const refuse = (key: string, message: string): void => void problems.push({ key, message });
  if (isRemote(listen) && mode !== "none") {
    const reached = `${formatListenAddress(listen)} is reached from other machines`;
    if (mode === null) refuse("listen", `${reached}, ${NOBODY_ASKED}`);
    else if (tlsListen === null)
      refuse(
        "listen",
        `${reached}, without TLS: wanted \`tls: { cert, key }\`, an address on loopback, or \`auth: { mode: none }\` to let everybody do everything`,
      );
  }
  if (tlsListen !== null && isRemote(tlsListen) && mode === null)
    refuse("tls_listen", `${formatListenAddress(tlsListen)} is reached from other machines, ${NOBODY_ASKED}`);
  if (mode === "users" && users.length === 0) refuse("auth", "auth.mode is users, and there are none: wanted `users`");
  if (mode === "token" && !hasDirectory)
    refuse("auth", "auth.mode is token, and tokens are the directory's: wanted `directories`");
  const repeated = users.find(({ name }, index) => users.findIndex((other) => other.name === name) !== index);
  if (repeated !== undefined) refuse("users", `the user ${quoteShort(repeated.name)} is there twice: wanted each once`);
  const isAsked = mode === "users" || mode === "token";
  return { mode, auth: isAsked ? { users, tokens: mode === "token" } : null, problems };
}

const NOBODY_ASKED =
  "and this router has no way to know who comes: wanted `directories`, `users`, or `auth: { mode: none }` to let everybody do everything";
