import { createHash } from "node:crypto";

/** How a secret is known to the directory. */
export const hashOf = (secret: string): string => createHash("sha256").update(secret).digest("base64url");
