import { z } from "zod";

const file = z.string().min(1).nullable().default(null).meta({ wanted: "the path of a file" });

/**
 * The keys by which every program that asks a directory names the proof of its rights, for the schema of its settings;
 * `loadCredentials` reads what they name.
 */
export const credentialSettings = {
  token: z.string().min(1).nullable().default(null).meta({
    secret: true,
    description: "What it proves itself with; from `DATAWIRE_TOKEN`, rather than in a file that others may read.",
    otherwise: "none",
  }),
  token_file: file.meta({ description: "File with the token, readable by its owner alone.", otherwise: "none" }),
  tls: z
    .strictObject({
      ca: file.meta({
        description:
          "File of the authority that signed the directory's certificate; needed only with certificates of your own.",
        otherwise: "the fingerprint in the token, else the system's authorities",
      }),
      cert: file.meta({ description: "File of the certificate that this program shows.", otherwise: "none" }),
      key: file.meta({
        description: "File of its key, readable by the owner and the group at most.",
        otherwise: "none",
      }),
    })
    .prefault({}),
};
