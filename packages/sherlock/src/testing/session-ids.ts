import { digest } from "../core/model/hash.ts";
import type { SessionIds } from "../core/planner/sessions.ts";

/** Ids that a test can tell, in the form of real ones. */
export const SESSION_IDS: SessionIds = {
  shared: true,
  of: (keeper, service, instance) => [`s.${digest(JSON.stringify([keeper, service, instance]))}000000`],
};
