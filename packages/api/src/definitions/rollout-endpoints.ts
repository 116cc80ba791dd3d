import type { Endpoint } from "./endpoint.ts";
import {
  rolloutBody,
  rolloutChangeAnswer,
  rolloutCommandBody,
  rolloutsAnswer,
  rolloutStartAnswer,
} from "../shapes/rollouts.ts";

/** Rollouts that judge themselves. For `{rollout}` stands an id, or `//SERVICE` for its rollout that goes on, or its last. */
export const rolloutEndpoints = {
  listRollouts: {
    method: "GET",
    path: "/v1/rollouts",
    summary: "The rollouts that go on, and the last ones that have ended",
    answer: rolloutsAnswer,
  },
  startRollout: {
    method: "POST",
    path: "/v1/rollouts",
    summary: "Starts a rollout, which sets its first share",
    body: rolloutBody,
    answer: rolloutStartAnswer,
  },
  showRollout: {
    method: "GET",
    path: "/v1/rollouts/{rollout}",
    summary: "One rollout, with what its checks say",
    answer: rolloutsAnswer,
  },
  pauseRollout: {
    method: "POST",
    path: "/v1/rollouts/{rollout}/pause",
    summary: "Stops a rollout where it is; the shares stay",
    body: rolloutCommandBody,
    answer: rolloutChangeAnswer,
  },
  resumeRollout: {
    method: "POST",
    path: "/v1/rollouts/{rollout}/resume",
    summary: "Lets a paused rollout go on",
    body: rolloutCommandBody,
    answer: rolloutChangeAnswer,
  },
  abortRollout: {
    method: "POST",
    path: "/v1/rollouts/{rollout}/abort",
    summary: "Ends a rollout and brings back the routes from before",
    body: rolloutCommandBody,
    answer: rolloutChangeAnswer,
  },
  promoteRollout: {
    method: "POST",
    path: "/v1/rollouts/{rollout}/promote",
    summary: "Takes a rollout to its end, or to its next step",
    body: rolloutCommandBody,
    answer: rolloutChangeAnswer,
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
