import type { ErrorCode } from "@datawire/protocol";

const REMEDIES: Partial<Record<ErrorCode, string>> = {
  conflict: "give each Watson a state folder of its own (`data_dir`): a copied machine has the one of its original",
  permission_denied: "give it a token of the right role: `dw token create --role watson`, or sherlock",
  unauthenticated: "give it a token that holds: `dw token create`, then `token_file` in its settings",
  unsupported: "bring it to a version that speaks with this directory",
  limit_exceeded: "see why that address opens so many; a program that is refused may ask too often",
};

/** What helps a client whose link is refused. */
export function remedyOfLink(code: ErrorCode): string {
  return REMEDIES[code] ?? "its log says more";
}
