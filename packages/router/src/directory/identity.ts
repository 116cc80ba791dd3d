import { randomUUID } from "node:crypto";
import type { ReportedProblem } from "@datawire/protocol";
import { readJsonFile, writeFileAtomically } from "@datawire/runtime";
import { z } from "zod";

const identityFile = z.object({ id: z.string().min(8).max(64) });
const FILE_BYTES_MAX = 10_000;
const MODE = 0o600;

/** Who a router is towards directories, for as long as its data folder is there. */
export interface Identity {
  readonly id: string;
  /** Why it is a new one, where there was one before. */
  readonly problem: ReportedProblem | null;
}

/** Reads the id of a router, or makes it and keeps it. */
export async function loadIdentity(path: string): Promise<Identity> {
  const read = await readJsonFile(path, { bytesMax: FILE_BYTES_MAX });
  const parsed = read.state === "read" ? identityFile.safeParse(read.value) : null;
  if (parsed?.success === true) return { id: parsed.data.id, problem: null };
  const id = randomUUID();
  await writeFileAtomically(path, `${JSON.stringify({ id })}\n`, { mode: MODE });
  if (read.state === "missing") return { id, problem: null };
  const reason = read.state === "unusable" ? read.reason : "it holds something else";
  const message = `the file could not be used (${reason}): the directory knows this router by a new id since its start`;
  return { id, problem: { subject: path, message, remedy: "none is needed after a lease" } };
}
