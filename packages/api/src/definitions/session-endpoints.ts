import { z } from "zod";
import { sessionAnswer, sessionBody, sessionCodeAnswer } from "../shapes/session.ts";
import type { Endpoint } from "./endpoint.ts";

/** The endpoints behind signing in. The first three let everybody ask, and say 401 themselves. */
export const sessionEndpoints = {
  openSession: {
    method: "POST",
    path: "/v1/session",
    summary: "Signs in: the cookie `dw_session` then stands for the token",
    right: "none",
    body: sessionBody,
    answer: sessionAnswer,
  },
  showSession: {
    method: "GET",
    path: "/v1/session",
    summary: "Who asks, and what they may do",
    right: "none",
    answer: sessionAnswer,
  },
  endSession: {
    method: "DELETE",
    path: "/v1/session",
    summary: "Signs out",
    right: "none",
    answer: "nothing",
  },
  createSessionCode: {
    method: "POST",
    path: "/v1/session/codes",
    summary: "Makes a code that signs in once, within a minute",
    right: "read",
    body: z.lazy(() => z.object({})),
    answer: sessionCodeAnswer,
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
