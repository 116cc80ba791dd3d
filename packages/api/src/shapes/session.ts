import { ROLES } from "@datawire/protocol";
import { z } from "zod";
import { time } from "./common.ts";

/** The rights that change what a console offers. */
const CONSOLE_RIGHTS = ["read", "change", "administer"] as const;

/** `GET /v1/session`, and what signing in is answered with: who asks, as the directory sees it. */
export const sessionAnswer = z.lazy(() =>
  z.object({
    auth: z.enum(["none", "session", "token"]).meta({
      description: "How it is known: `none` where this directory asks nobody, `session` by cookie, `token` by header",
    }),
    role: z.enum(ROLES),
    token: z.string().nullable().meta({ description: "The id of the token, never its secret" }),
    tenant: z.string().nullable(),
    rights: z.array(z.enum(CONSOLE_RIGHTS)),
    expires: time.nullable().meta({ description: "When the session, or the token, ends by itself" }),
    csrf: z.string().nullable().meta({
      description: "What a change by cookie has to bring in `X-Datawire-CSRF`; null without a session",
    }),
  }),
);

/** Signs in, by a token or by a code of `POST /v1/session/codes`. */
export const sessionBody = z.lazy(() =>
  z
    .object({
      token: z.string().max(400).optional(),
      code: z.string().max(400).optional(),
    })
    .refine(({ token, code }) => (token === undefined) !== (code === undefined), "either token or code")
    .meta({ wanted: "either token or code" }),
);

/** A code that signs in once, for whoever already has a token. */
export const sessionCodeAnswer = z.lazy(() =>
  z.object({
    code: z.string().nullable().meta({ description: "Good once; null where nobody has to sign in" }),
    expires: time.nullable(),
    url: z.string().nullable().meta({ description: "`console.url` of directory.yaml, where it is set" }),
    tls: z.boolean().meta({ description: "Whether its own port speaks TLS" }),
  }),
);
