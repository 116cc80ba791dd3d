import { constants } from "node:fs";
import { open, readlink } from "node:fs/promises";
import { decodeText, explainSystemError, type Problem, systemErrorCode } from "@datawire/runtime";

/** A service file is written by people, or lists what a machine can run; a larger one is something else. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

/** The text of a service file, or why there is none. */
export type FileText =
  | {
      readonly ok: true;
      readonly text: string;
      /** Why others than its owner may have written the file; null when only its owner can. */
      readonly untrusted: string | null;
    }
  | { readonly ok: false; readonly problem: Problem };

/** Reads a service file through one handle, so that who may write it is said of what was read. */
export async function readServiceFile(path: string): Promise<FileText> {
  const fail = (why: string): FileText => ({
    ok: false,
    problem: { file: path, line: 1, column: 1, message: `Cannot read the file: ${why}` },
  });
  try {
    // Opening a pipe would wait for a writer without O_NONBLOCK.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) return fail("it is no regular file");
    if (stats.size > FILE_BYTES_MAX)
      return fail(
        `it has ${stats.size} bytes, wanted ${FILE_BYTES_MAX} at the most: a part of its services in each of several files`,
      );
    // One byte more than it has: a file that grew meanwhile is read again, as it then looks another.
    const buffer = Buffer.alloc(stats.size + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    const decoded = decodeText(buffer.subarray(0, bytesRead));
    if (!decoded.ok) return { ok: false, problem: { file: path, ...decoded } };
    return { ok: true, text: decoded.text, untrusted: untrustedReason(stats) };
  } catch (error) {
    const target = systemErrorCode(error) === "ENOENT" ? await readlink(path).catch(() => null) : null;
    return fail(target === null ? explainSystemError(error) : `it is a link to ${target}, which is not there`);
  }
}

/**
 * Whether a text is an object or a list of JSON, which is YAML too: no beginning of one is one, so that whoever writes
 * it is done.
 */
export function isWholeJson(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function untrustedReason({ mode, uid }: { readonly mode: number; readonly uid: number }): string | null {
  const own = process.getuid?.() ?? 0;
  if (uid !== 0 && uid !== own)
    return `it belongs to user ${uid}, wanted ${own === 0 ? "root" : `root or user ${own}`}`;
  const GROUP_OR_OTHERS_WRITE = 0o022;
  if ((mode & GROUP_OR_OTHERS_WRITE) === 0) return null;
  return `others than its owner can write it (mode ${(mode & 0o777).toString(8)}), wanted for instance 644`;
}
