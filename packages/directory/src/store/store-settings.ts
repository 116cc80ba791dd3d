import { parsedBy, refusal } from "@datawire/runtime";
import { z } from "zod";

const endpoint = parsedBy(parseEndpoint, "the URL of a member of etcd, such as http://10.0.0.1:2379");
const endpoints = z.array(endpoint).min(1).max(20).meta({ wanted: "URLs of members of one etcd cluster" });
const file = z.string().min(1).meta({ wanted: "the path of a file" });

const etcdSettings = z
  .strictObject({
    endpoints: endpoints.meta({ description: "Members of the cluster." }),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*$/, "names of A-Z a-z 0-9 _ . -, separated by slashes")
      .max(200)
      .meta({ wanted: "names of A-Z a-z 0-9 _ . -, separated by slashes" })
      .default("datawire")
      .meta({
        description: "Below which the keys of this dstack lie: several that share one etcd need different ones.",
      }),
    user: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .meta({ description: "Of etcd's own authentication.", otherwise: "none" }),
    password_file: file.optional().meta({ description: "File with that user's password.", otherwise: "none" }),
    tls: z
      .strictObject({
        ca: file.optional().meta({
          description: "File of the authority that signed etcd's certificate.",
          otherwise: "those of the system",
        }),
        cert: file
          .optional()
          .meta({ description: "File of the certificate that the directory shows to etcd.", otherwise: "none" }),
        key: file.optional().meta({ description: "File of its key.", otherwise: "none" }),
      })
      .optional()
      .superRefine((tls, context) => {
        if ((tls?.cert === undefined) === (tls?.key === undefined)) return;
        const path = [tls?.cert === undefined ? "key" : "cert"];
        context.addIssue({ ...refusal("cert and key go together", "both or neither"), path });
      }),
  })
  .superRefine(({ user, password_file }, context) => {
    if ((user === undefined) === (password_file === undefined)) return;
    const path = [user === undefined ? "password_file" : "user"];
    context.addIssue({ ...refusal("user and password_file go together", "both or neither"), path });
  });
/** The settings of a store in etcd, read. */
export type EtcdSettings = z.output<typeof etcdSettings>;

/** `embedded`, `{ etcd: [URL, …] }`, or `{ etcd: { endpoints: [URL, …], prefix, user, password_file, tls } }`. */
export const storeSetting = z
  .union([
    z.literal("embedded"),
    z.strictObject({
      etcd: z.union([endpoints.transform((list) => etcdSettings.parse({ endpoints: list })), etcdSettings]),
    }),
  ])
  .meta({ wanted: "embedded, or { etcd: [http://HOST:2379, …] }" })
  .default("embedded");
/** The settings of the store, read. */
export type StoreSettings = z.output<typeof storeSetting>;

/** @throws Error that says why it is no URL of etcd. */
function parseEndpoint(text: string): string {
  if (!/^https?:\/\//i.test(text)) throw new Error("it begins with neither http:// nor https://");
  if (!URL.canParse(text) || /\s/.test(text)) throw new Error("its host or port is malformed");
  const { username, password, pathname, search, hash } = new URL(text);
  if (username !== "" || password !== "" || text.includes("@"))
    throw new Error("it holds a user name or a password, which are given as `user` and `password_file`");
  if (pathname !== "/" || search !== "" || hash !== "" || /[?#]/.test(text))
    throw new Error("it has a path, a query or a fragment; keys are told apart by `prefix`");
  return text.replace(/\/$/, "");
}
