import { fingerprint } from "../core/hash.ts";
import type { SessionIds } from "../core/sessions.ts";

/** Ids that a test can tell, in the form of real ones. */
export const SESSION_IDS: SessionIds = {
  shared: true,
  of: (keeper, service, instance) => [`s.${fingerprint(JSON.stringify([keeper, service, instance]))}000000`],
};
